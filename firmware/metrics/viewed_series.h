// ViewedSeries: a source of recorded series that also answers to every name of the views.
//
// A query sees what a Prometheus would that scraped every view of /metrics: the same names, labels
// and units, over the whole history, from values recorded once.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "firmware/metrics/name_views.h"
#include "storage/promql/series_source.h"

namespace hearth::metrics {

class ViewedSeries : public promql::SeriesSource {
 public:
  // `recorded` outlives this.
  explicit ViewedSeries(const promql::SeriesSource* recorded);

  Result<std::vector<promql::Series>> Select(const std::vector<promql::Matcher>& matchers,
                                             const promql::SelectHints& hints) const override;
  Result<std::vector<promql::Labels>> SeriesLabels(const std::vector<promql::Matcher>& matchers,
                                                   int64_t start_ms, int64_t end_ms) const override;

 private:
  // One series name of a view, and the recorded one behind it.
  struct Name {
    const NameView* view;
    std::string shown;
    std::string recorded;
  };

  // Calls visit(name, matchers for the recorded series) for each name that the matchers admit and
  // whose labels or name differ from the recorded ones.
  template <typename Visit>
  Status ForEachName(const std::vector<promql::Matcher>& matchers, Visit visit) const;

  const promql::SeriesSource* const recorded_;
  std::vector<Name> names_;
  std::unordered_map<std::string_view, std::vector<const Name*>> by_shown_;
};

}  // namespace hearth::metrics
