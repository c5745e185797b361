// A source and sink of series in memory.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "storage/promql/evaluator.h"
#include "storage/promql/parser.h"
#include "storage/rules/evaluator.h"

namespace hearth::rules {

class MemorySeries : public promql::SeriesSource, public SampleSink {
 public:
  void Put(const promql::Labels& labels, const promql::Sample& sample) override {
    series_[labels].push_back(sample);
  }

  Result<std::vector<promql::Series>> Select(const std::vector<promql::Matcher>& matchers,
                                             const promql::SelectHints& hints) const override {
    std::vector<promql::Series> selected;
    for (const auto& [labels, samples] : series_) {
      if (!Fits(labels, matchers)) continue;
      promql::Series series{labels, {}};
      for (const promql::Sample& sample : samples) {
        if (sample.time_ms > hints.start_ms && sample.time_ms <= hints.end_ms) {
          series.samples.push_back(sample);
        }
      }
      selected.push_back(std::move(series));
    }
    return selected;
  }

  Result<std::vector<promql::Labels>> SeriesLabels(const std::vector<promql::Matcher>& matchers,
                                                   int64_t, int64_t) const override {
    std::vector<promql::Labels> found;
    for (const auto& [labels, samples] : series_) {
      if (Fits(labels, matchers)) found.push_back(labels);
    }
    return found;
  }

  // The series an instant query gives.
  std::vector<promql::Series> Query(const std::string& text, int64_t time_ms) const {
    const Result<promql::ExprPtr> expr = promql::Parse(text);
    const Result<promql::Value> value = promql::EvalInstant(*this, **expr, time_ms);
    return value.value().series;
  }

 private:
  static bool Fits(const promql::Labels& labels, const std::vector<promql::Matcher>& matchers) {
    return std::all_of(matchers.begin(), matchers.end(), [&](const promql::Matcher& matcher) {
      return matcher.Matches(labels.Get(matcher.name));
    });
  }

  std::map<promql::Labels, std::vector<promql::Sample>> series_;
};

}  // namespace hearth::rules
