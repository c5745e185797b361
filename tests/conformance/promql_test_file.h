// Prometheus's .test files: the commands of one file, read but not run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/promql/series_source.h"

namespace hearth::promql {

// One value of the series notation. Histograms are known but not read.
struct TestPoint {
  enum class Kind { kNone, kFloat, kHistogram };
  Kind kind = Kind::kNone;
  double value = 0;
};

struct TestSeries {
  Labels labels;
  std::vector<TestPoint> points;
};

struct Expectation {
  enum class Text { kAny, kExact, kRegex };
  Text text = Text::kAny;
  std::string value;
};

struct TestCommand {
  enum class Kind { kClear, kLoad, kEvalInstant, kEvalRange };
  Kind kind = Kind::kClear;
  int line = 0;
  // load
  int64_t load_step_ms = 0;
  bool with_custom_buckets = false;  // load_with_nhcb: histograms beside the classic buckets
  // eval
  std::string query;
  int64_t start_ms = 0;  // of an instant query: its time
  int64_t end_ms = 0;
  int64_t step_ms = 0;
  std::optional<Expectation> fail, warn, info;
  bool no_warn = false;
  bool no_info = false;
  bool ordered = false;
  std::optional<std::string> string;
  std::optional<TestPoint> scalar;
  bool expects_histogram = false;
  // What is loaded or expected.
  std::vector<TestSeries> series;
};

// kInvalidArgument with the line for what does not fit the format.
Result<std::vector<TestCommand>> ReadTestFile(std::string_view text);

}  // namespace hearth::promql
