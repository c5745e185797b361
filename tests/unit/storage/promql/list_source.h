// Series given by a test, and queries over them.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/promql/evaluator.h"
#include "storage/promql/parser.h"

namespace hearth::promql {

// Series given by the test. Keeps the hints of the last Select.
class ListSource : public SeriesSource {
 public:
  void Add(std::vector<Labels::Pair> labels, std::vector<Sample> samples) {
    series_.push_back({Labels(std::move(labels)), std::move(samples)});
  }

  Result<std::vector<Series>> Select(const std::vector<Matcher>& matchers,
                                     const SelectHints& hints) const override {
    last_hints = hints;
    std::vector<Series> selected;
    for (Series series : series_) {
      const bool fits = std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) {
        return m.Matches(series.labels.Get(m.name));
      });
      if (!fits) continue;
      std::erase_if(series.samples, [&](const Sample& sample) {
        return sample.time_ms <= hints.start_ms || sample.time_ms > hints.end_ms;
      });
      selected.push_back(std::move(series));
    }
    return selected;
  }

  Result<std::vector<Labels>> SeriesLabels(const std::vector<Matcher>&, int64_t,
                                           int64_t) const override {
    return std::vector<Labels>();
  }

  mutable SelectHints last_hints;

 private:
  std::vector<Series> series_;
};

inline Result<Value> Instant(const SeriesSource& source, const std::string& query, int64_t time_ms,
                      EvalOptions options = {}) {
  options.query = query;
  HEARTH_ASSIGN_OR_RETURN(const ExprPtr expr, Parse(query));
  return EvalInstant(source, *expr, time_ms, options);
}

inline Result<Matrix> Range(const SeriesSource& source, const std::string& query, int64_t start_ms,
                     int64_t end_ms, int64_t step_ms, EvalOptions options = {}) {
  options.query = query;
  HEARTH_ASSIGN_OR_RETURN(const ExprPtr expr, Parse(query));
  return EvalRange(source, *expr, start_ms, end_ms, step_ms, options);
}

}  // namespace hearth::promql
