// What the PromQL evaluator reads from: labelled series of samples. Implemented by the history, by tests,
// and by anything else that can name its series.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hearth::promql {

// Sorted by name, names unique, no empty values. The metric name is the label "__name__".
class Labels {
 public:
  using Pair = std::pair<std::string, std::string>;
  Labels() = default;
  explicit Labels(std::vector<Pair> pairs);  // sorts; drops pairs with an empty value

  const std::vector<Pair>& pairs() const { return pairs_; }
  // "" when absent, as PromQL sees it.
  const std::string& Get(const std::string& name) const;
  void Set(const std::string& name, const std::string& value);  // "" removes
  auto operator<=>(const Labels&) const = default;

 private:
  std::vector<Pair> pairs_;
};

struct LabelsHash {
  size_t operator()(const Labels& labels) const;
};

struct Matcher {
  enum class Op { kEqual, kNotEqual, kRegex, kNotRegex };
  std::string name;
  Op op = Op::kEqual;
  std::string value;  // a regex is anchored at both ends

  // kInvalidArgument for a regex that does not compile. Compiled once per matcher.
  static Result<Matcher> Make(std::string name, Op op, std::string value);
  bool Matches(const std::string& label_value) const;

 private:
  std::shared_ptr<const void> compiled_;
};

struct Sample {
  int64_t time_ms = 0;  // Unix
  double value = 0;
};

// One series with its samples in (start, end], ascending in time. A counter's values are cumulative.
struct Series {
  Labels labels;
  std::vector<Sample> samples;
};

struct SelectHints {
  int64_t start_ms = 0;  // exclusive
  int64_t end_ms = 0;    // inclusive
  int64_t step_ms = 0;   // of the query; 0 for an instant query: the source may choose a coarser tier
  int64_t range_ms = 0;  // of the range selector; 0 for an instant selector
};

class SeriesSource {
 public:
  virtual ~SeriesSource() = default;

  virtual Result<std::vector<Series>> Select(const std::vector<Matcher>& matchers,
                                             const SelectHints& hints) const = 0;

  // Label sets of the series that have a sample in [start_ms, end_ms].
  virtual Result<std::vector<Labels>> SeriesLabels(const std::vector<Matcher>& matchers,
                                                   int64_t start_ms, int64_t end_ms) const = 0;
};

}  // namespace hearth::promql
