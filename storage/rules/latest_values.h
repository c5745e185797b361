// LatestValues: between the rules and the history.
//
// Rules give their series to it; whoever fills the history takes them from there with its next
// sample. Until then queries through it see them on top of what `recorded` has, so that a rule
// sees what the rules before it gave a moment ago.
#pragma once

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "storage/rules/evaluator.h"

namespace hearth::rules {

class LatestValues : public promql::SeriesSource, public SampleSink {
 public:
  // `recorded` outlives this.
  explicit LatestValues(const promql::SeriesSource* recorded) : recorded_(recorded) {}

  // Any thread; so are all others.
  void Put(const promql::Labels& labels, const promql::Sample& sample) override;

  // What the next sample of the history shall hold: every series that has not ended.
  std::vector<std::pair<promql::Labels, double>> Current() const;

  Result<std::vector<promql::Series>> Select(const std::vector<promql::Matcher>& matchers,
                                             const promql::SelectHints& hints) const override;
  Result<std::vector<promql::Labels>> SeriesLabels(const std::vector<promql::Matcher>& matchers,
                                                   int64_t start_ms, int64_t end_ms) const override;

 private:
  const promql::SeriesSource* const recorded_;
  mutable std::mutex mutex_;
  std::map<promql::Labels, promql::Sample> latest_;
};

}  // namespace hearth::rules
