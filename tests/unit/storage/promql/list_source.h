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
      if (!Fits(series.labels, matchers)) continue;
      std::erase_if(series.samples, [&](const Sample& sample) {
        return sample.time_ms <= hints.start_ms || sample.time_ms > hints.end_ms;
      });
      selected.push_back(std::move(series));
    }
    return selected;
  }

  Result<std::vector<Labels>> SeriesLabels(const std::vector<Matcher>& matchers, int64_t start_ms,
                                           int64_t end_ms) const override {
    std::vector<Labels> found;
    for (const Series& series : series_) {
      const bool present = std::any_of(
          series.samples.begin(), series.samples.end(),
          [&](const Sample& s) { return s.time_ms >= start_ms && s.time_ms <= end_ms; });
      if (present && Fits(series.labels, matchers)) found.push_back(series.labels);
    }
    return found;
  }

  mutable SelectHints last_hints;

 private:
  static bool Fits(const Labels& labels, const std::vector<Matcher>& matchers) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const Matcher& m) { return m.Matches(labels.Get(m.name)); });
  }

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
