// Runs Prometheus's .test files against our evaluator and prints what passed, failed and was left
// out:
//
//   promql_conformance FILE.test ...
//
// Exits with the number of failures, at most 125. Left out, each by name, are cases on native
// histograms and on functions that Prometheus marks experimental.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include <re2/re2.h>

#include "storage/promql/evaluator.h"
#include "storage/promql/float_format.h"
#include "storage/promql/parser.h"
#include "tests/conformance/promql_test_file.h"

namespace hearth::promql {
namespace {

constexpr double kTolerance = 1e-6;
constexpr int kExitMax = 125;

constexpr std::string_view kExperimental[] = {
    "double_exponential_smoothing", "end", "first_over_time", "histogram_quantiles", "info",
    "mad_over_time", "max_of", "min_of", "range", "sort_by_label", "sort_by_label_desc", "start",
    "step", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time",
    "ts_of_min_over_time"};

// What the load commands stored. Notes when a query touches a series with histograms in it.
class LoadedSeries : public SeriesSource {
 public:
  void Clear() { series_.clear(); }

  void Load(const TestCommand& command) {
    for (const TestSeries& loaded : command.series) {
      Entry& entry = series_[loaded.labels];
      for (size_t i = 0; i < loaded.points.size(); ++i) {
        const int64_t time_ms = static_cast<int64_t>(i) * command.load_step_ms;
        const TestPoint& point = loaded.points[i];
        if (point.kind == TestPoint::Kind::kHistogram) entry.has_histograms = true;
        if (point.kind == TestPoint::Kind::kFloat) entry.samples.emplace(time_ms, point.value);
      }
      if (command.with_custom_buckets) AddCustomBuckets(loaded.labels);
    }
  }

  bool touched_histograms() const { return touched_histograms_; }
  void ForgetTouch() { touched_histograms_ = false; }

  Result<std::vector<Series>> Select(const std::vector<Matcher>& matchers,
                                     const SelectHints& hints) const override {
    std::vector<Series> selected;
    for (const auto& [labels, entry] : series_) {
      if (!Fits(labels, matchers)) continue;
      if (entry.has_histograms) touched_histograms_ = true;
      Series series{labels, {}};
      for (auto it = entry.samples.upper_bound(hints.start_ms);
           it != entry.samples.end() && it->first <= hints.end_ms; ++it) {
        series.samples.push_back({it->first, it->second});
      }
      selected.push_back(std::move(series));
    }
    return selected;
  }

  Result<std::vector<Labels>> SeriesLabels(const std::vector<Matcher>& matchers, int64_t,
                                           int64_t) const override {
    std::vector<Labels> found;
    for (const auto& [labels, entry] : series_) {
      if (Fits(labels, matchers)) found.push_back(labels);
    }
    return found;
  }

 private:
  struct Entry {
    std::map<int64_t, double> samples;
    bool has_histograms = false;
  };

  static bool Fits(const Labels& labels, const std::vector<Matcher>& matchers) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const Matcher& m) { return m.Matches(labels.Get(m.name)); });
  }

  // The histogram that load_with_nhcb makes of classic buckets has their name without "_bucket".
  void AddCustomBuckets(Labels labels) {
    const std::string name = labels.Get("__name__");
    const size_t suffix = name.rfind("_bucket");
    if (suffix == std::string::npos) return;
    labels.Set("__name__", name.substr(0, suffix));
    labels.Set("le", "");
    series_[labels].has_histograms = true;
  }

  std::map<Labels, Entry> series_;
  mutable bool touched_histograms_ = false;
};

bool Near(double expected, double actual) {
  if (std::isnan(expected) || std::isnan(actual)) return std::isnan(expected) && std::isnan(actual);
  if (expected == actual) return true;
  const double scale = std::max(std::abs(expected), std::abs(actual));
  return std::abs(expected - actual) <= kTolerance * std::min(scale, 1e300);
}

std::string LabelsText(const Labels& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels.pairs()) text += name + "=\"" + value + "\",";
  return text + "}";
}

bool Fits(const Expectation& expectation, const std::string& text) {
  switch (expectation.text) {
    case Expectation::Text::kAny: return true;
    case Expectation::Text::kExact: return text == expectation.value;
    case Expectation::Text::kRegex: return RE2::PartialMatch(text, expectation.value);
  }
  return false;
}

// Empty when `texts` are as expected.
std::string CompareNotes(const char* kind, const std::optional<Expectation>& wanted, bool none,
                         const std::vector<std::string>& texts) {
  if (none && !texts.empty()) return std::string("unexpected ") + kind + ": " + texts.front();
  if (!wanted) return "";
  for (const std::string& text : texts) {
    if (Fits(*wanted, text)) return "";
  }
  return std::string("no such ") + kind + ": " + wanted->value +
         (texts.empty() ? std::string(" (there is none)") : " (there is: " + texts.front() + ")");
}

std::string CompareAnnotations(const TestCommand& command, const Annotations& annotations) {
  const std::string warn =
      CompareNotes("warning", command.warn, command.no_warn, annotations.warnings);
  if (!warn.empty()) return warn;
  return CompareNotes("info", command.info, command.no_info, annotations.infos);
}

// One expected series against its samples at start, start + step, ...
std::string CompareSamples(const TestSeries& expected, const std::vector<Sample>& samples,
                           int64_t start_ms, int64_t step_ms) {
  size_t next = 0;
  for (size_t i = 0; i < expected.points.size(); ++i) {
    const int64_t time_ms = start_ms + static_cast<int64_t>(i) * step_ms;
    const bool present = next < samples.size() && samples[next].time_ms == time_ms;
    const bool wanted = expected.points[i].kind == TestPoint::Kind::kFloat;
    const std::string where =
        LabelsText(expected.labels) + " at " + std::to_string(time_ms) + " ms: ";
    if (wanted && !present)
      return where + "no sample, expected " + FloatText(expected.points[i].value);
    if (!wanted && present) return where + FloatText(samples[next].value) + ", expected none";
    if (!present) continue;
    if (!Near(expected.points[i].value, samples[next].value)) {
      return where + FloatText(samples[next].value) + ", expected " +
             FloatText(expected.points[i].value);
    }
    ++next;
  }
  if (next < samples.size()) return LabelsText(expected.labels) + ": more samples than expected";
  return "";
}

std::string CompareSeries(const TestCommand& command, const std::vector<Series>& actual,
                          int64_t start_ms, int64_t step_ms, bool ordered) {
  if (actual.size() != command.series.size()) {
    std::string text = std::to_string(actual.size()) + " series, expected " +
                       std::to_string(command.series.size());
    for (const Series& series : actual) text += "\n      got " + LabelsText(series.labels);
    return text;
  }
  for (size_t i = 0; i < command.series.size(); ++i) {
    const TestSeries& expected = command.series[i];
    const auto found = std::find_if(actual.begin(), actual.end(),
                                    [&](const Series& s) { return s.labels == expected.labels; });
    if (found == actual.end()) {
      std::string text = "no series " + LabelsText(expected.labels);
      for (const Series& series : actual) text += "\n      got " + LabelsText(series.labels);
      return text;
    }
    if (ordered && static_cast<size_t>(found - actual.begin()) != i) {
      return LabelsText(expected.labels) + " is not at place " + std::to_string(i);
    }
    const std::string difference = CompareSamples(expected, found->samples, start_ms, step_ms);
    if (!difference.empty()) return difference;
  }
  return "";
}

struct Outcome {
  enum class Kind { kPassed, kSkipped, kFailed };
  Kind kind = Kind::kPassed;
  std::string reason;
};

class Runner {
 public:
  Outcome Run(const TestCommand& command) {
    series_.ForgetTouch();
    const Result<ExprPtr> expr = Parse(command.query);
    std::string difference;
    if (!expr.ok()) {
      const std::string& message = expr.status().message();
      for (const std::string_view name : kExperimental) {
        if (message.ends_with("unknown function with name \"" + std::string(name) + "\"")) {
          return {Outcome::Kind::kSkipped, "experimental function " + std::string(name)};
        }
      }
      difference = CompareFailure(command, expr.status());
    } else if (command.kind == TestCommand::Kind::kEvalInstant) {
      difference = RunInstant(command, **expr);
    } else {
      difference = RunRange(command, **expr);
    }
    if (command.expects_histogram || series_.touched_histograms()) {
      return {Outcome::Kind::kSkipped, "native histograms"};
    }
    if (difference.empty()) return {};
    return {Outcome::Kind::kFailed, difference};
  }

  LoadedSeries& series() { return series_; }

 private:
  static std::string CompareFailure(const TestCommand& command, const Status& status) {
    if (!command.fail) return "failed: " + status.message();
    if (Fits(*command.fail, status.message())) return "";
    return "failed with: " + status.message() + "\n      expected: " + command.fail->value;
  }

  std::string RunInstant(const TestCommand& command, const Expr& expr) const {
    EvalOptions options;
    options.query = command.query;
    const Result<Value> value = EvalInstant(series_, expr, command.start_ms, options);
    if (!value.ok()) return CompareFailure(command, value.status());
    if (command.fail) return "did not fail";
    std::string difference = CompareAnnotations(command, value->annotations);
    if (!difference.empty()) return difference;
    if (command.string) {
      return value->type == ValueType::kString && value->string == *command.string
                 ? ""
                 : "another string";
    }
    if (command.scalar) {
      if (value->type != ValueType::kScalar) return "not a scalar";
      if (Near(command.scalar->value, value->scalar.value)) return "";
      return FloatText(value->scalar.value) + ", expected " + FloatText(command.scalar->value);
    }
    if (value->type != ValueType::kVector) return "not an instant vector";
    difference = CompareSeries(command, value->series, command.start_ms, 1, command.ordered);
    if (!difference.empty() || command.ordered) return difference;
    return RunAsMiddleOfRange(command, expr);
  }

  // An instant query's answer is also the middle step of a range query around it.
  std::string RunAsMiddleOfRange(const TestCommand& command, const Expr& expr) const {
    constexpr int64_t kStepMs = 60'000;
    EvalOptions options;
    options.query = command.query;
    const Result<Matrix> matrix = EvalRange(series_, expr, command.start_ms - kStepMs,
                                            command.start_ms + kStepMs, kStepMs, options);
    // The steps beside it may fail for reasons of their own.
    if (!matrix.ok()) return "";
    std::vector<Series> middle;
    for (const Series& series : matrix->series) {
      for (const Sample& sample : series.samples) {
        if (sample.time_ms == command.start_ms) middle.push_back({series.labels, {sample}});
      }
    }
    const std::string difference = CompareSeries(command, middle, command.start_ms, 1, false);
    return difference.empty() ? "" : "as a range query: " + difference;
  }

  std::string RunRange(const TestCommand& command, const Expr& expr) const {
    EvalOptions options;
    options.query = command.query;
    const Result<Matrix> matrix = EvalRange(series_, expr, command.start_ms, command.end_ms,
                                            command.step_ms, options);
    if (!matrix.ok()) return CompareFailure(command, matrix.status());
    if (command.fail) return "did not fail";
    const std::string difference = CompareAnnotations(command, matrix->annotations);
    if (!difference.empty()) return difference;
    return CompareSeries(command, matrix->series, command.start_ms, command.step_ms, false);
  }

  LoadedSeries series_;
};

struct Tally {
  int passed = 0;
  int skipped = 0;
  int failed = 0;
};

Result<Tally> RunFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return NotFound("absent: " + path);
  std::stringstream text;
  text << file.rdbuf();
  HEARTH_ASSIGN_OR_RETURN(const std::vector<TestCommand> commands, ReadTestFile(text.str()));
  Runner runner;
  Tally tally;
  for (const TestCommand& command : commands) {
    if (command.kind == TestCommand::Kind::kClear) {
      runner.series().Clear();
      continue;
    }
    if (command.kind == TestCommand::Kind::kLoad) {
      runner.series().Load(command);
      continue;
    }
    const Outcome outcome = runner.Run(command);
    if (outcome.kind == Outcome::Kind::kPassed) {
      ++tally.passed;
      continue;
    }
    const bool skipped = outcome.kind == Outcome::Kind::kSkipped;
    ++(skipped ? tally.skipped : tally.failed);
    std::printf("%s:%d: %s: %s\n      %s\n", path.c_str(), command.line,
                skipped ? "skipped" : "FAILED", command.query.c_str(), outcome.reason.c_str());
  }
  return tally;
}

int Main(int argc, char** argv) {
  std::map<std::string, Tally> tallies;
  int failures = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    Result<Tally> tally = RunFile(path);
    if (!tally.ok()) {
      std::printf("%s\n", tally.status().message().c_str());
      ++failures;
      continue;
    }
    tallies[path] = *tally;
    failures += tally->failed;
  }
  std::printf("\n%-60s %7s %7s %7s\n", "file", "passed", "skipped", "failed");
  for (const auto& [path, tally] : tallies) {
    std::printf("%-60s %7d %7d %7d\n", path.c_str(), tally.passed, tally.skipped, tally.failed);
  }
  return std::min(failures, kExitMax);
}

}  // namespace
}  // namespace hearth::promql

int main(int argc, char** argv) { return hearth::promql::Main(argc, argv); }
