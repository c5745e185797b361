// Runs promtool's unit tests of rules against our evaluator and prints what differs:
//
//   rules_conformance FILE_test.yml ...
//
// Exits with the number of failed expectations, at most 125.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "storage/promql/float_format.h"
#include "storage/promql/parser.h"
#include "storage/rules/evaluator.h"
#include "tests/conformance/promql_test_file.h"
#include "tests/unit/storage/rules/memory_series.h"

namespace hearth::rules {
namespace {

constexpr int kExitMax = 125;
constexpr double kTolerance = 1e-9;

int64_t Duration(const YAML::Node& node) {
  return promql::ParseDurationMs(node.as<std::string>()).value();
}

promql::Labels LabelsOf(const YAML::Node& node) {
  std::vector<promql::Labels::Pair> pairs;
  for (const auto& pair : node) {
    pairs.emplace_back(pair.first.as<std::string>(), pair.second.as<std::string>());
  }
  return promql::Labels(std::move(pairs));
}

std::string LabelsText(const promql::Labels& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels.pairs()) text += name + "=" + value + ", ";
  return text + "}";
}

// A firing alert: its labels and annotations in one text, so that sets of them compare.
std::string AlertText(const promql::Labels& labels, const promql::Labels& annotations) {
  return LabelsText(labels) + " " + LabelsText(annotations);
}

// `name{labels} value`, rounded as far as two evaluators may differ.
std::string SampleText(const promql::Labels& labels, double value) {
  const double rounded = std::round(value / kTolerance) * kTolerance;
  return LabelsText(labels) + " " + promql::FloatText(std::abs(value) < 1e6 ? rounded : value);
}

// One test of a file: its series, and rules evaluated over them from time 0.
class RulesTest {
 public:
  RulesTest(const std::vector<RuleGroup>& groups, const YAML::Node& test)
      : test_(test), name_(test["name"] ? test["name"].as<std::string>() : "") {
    std::string text = "load " + test["interval"].as<std::string>() + "\n";
    for (const YAML::Node& series : test["input_series"]) {
      text += "  " + series["series"].as<std::string>() + " " +
              series["values"].as<std::string>() + "\n";
    }
    const Result<std::vector<promql::TestCommand>> commands = promql::ReadTestFile(text);
    for (const promql::TestCommand& command : *commands) {
      for (const promql::TestSeries& series : command.series) {
        for (size_t i = 0; i < series.points.size(); ++i) {
          if (series.points[i].kind != promql::TestPoint::Kind::kFloat) continue;
          series_.Put(series.labels, {static_cast<int64_t>(i) * command.load_step_ms,
                                      series.points[i].value});
        }
      }
    }
    for (const RuleGroup& group : groups) {
      evaluators_.push_back(std::make_unique<GroupEvaluator>(&group, EvaluatorOptions{}));
    }
  }

  void Run(int64_t interval_ms) {
    int64_t end_ms = 0;
    for (const YAML::Node& node : test_["alert_rule_test"]) {
      end_ms = std::max(end_ms, Duration(node["eval_time"]));
    }
    for (const YAML::Node& node : test_["promql_expr_test"]) {
      end_ms = std::max(end_ms, Duration(node["eval_time"]));
    }
    for (int64_t time_ms = 0; time_ms <= end_ms; time_ms += interval_ms) {
      for (const auto& evaluator : evaluators_) evaluator->Evaluate(series_, series_, time_ms);
      for (const YAML::Node& node : test_["alert_rule_test"]) {
        const int64_t at_ms = Duration(node["eval_time"]);
        if (at_ms >= time_ms && at_ms < time_ms + interval_ms) CheckAlerts(node);
      }
    }
    for (const YAML::Node& node : test_["promql_expr_test"]) CheckSamples(node);
  }

  int passed() const { return passed_; }
  int failed() const { return failed_; }

 private:
  void CheckAlerts(const YAML::Node& node) {
    const std::string name = node["alertname"].as<std::string>();
    std::vector<std::string> wanted;
    for (const YAML::Node& alert : node["exp_alerts"]) {
      promql::Labels labels = LabelsOf(alert["exp_labels"]);
      labels.Set("alertname", name);
      wanted.push_back(AlertText(labels, LabelsOf(alert["exp_annotations"])));
    }
    std::vector<std::string> got;
    for (const auto& evaluator : evaluators_) {
      for (const RuleStatus& rule : evaluator->status().rules) {
        if (rule.rule->name != name) continue;
        for (const Alert& alert : rule.alerts) {
          if (alert.state != AlertState::kFiring) continue;
          got.push_back(AlertText(alert.labels, promql::Labels(alert.annotations)));
        }
      }
    }
    Compare(name + " at " + node["eval_time"].as<std::string>(), wanted, got);
  }

  void CheckSamples(const YAML::Node& node) {
    const std::string expr = node["expr"].as<std::string>();
    std::vector<std::string> wanted;
    for (const YAML::Node& sample : node["exp_samples"]) {
      std::vector<promql::Labels::Pair> pairs;
      const std::string labels = sample["labels"].as<std::string>();
      const Result<std::vector<promql::Matcher>> matchers = promql::ParseMatchers(labels);
      for (const promql::Matcher& matcher : *matchers) {
        pairs.emplace_back(matcher.name, matcher.value);
      }
      wanted.push_back(SampleText(promql::Labels(std::move(pairs)), sample["value"].as<double>()));
    }
    std::vector<std::string> got;
    for (const promql::Series& series : series_.Query(expr, Duration(node["eval_time"]))) {
      got.push_back(SampleText(series.labels, series.samples.back().value));
    }
    Compare(expr, wanted, got);
  }

  void Compare(const std::string& what, std::vector<std::string> wanted,
               std::vector<std::string> got) {
    std::sort(wanted.begin(), wanted.end());
    std::sort(got.begin(), got.end());
    if (wanted == got) {
      ++passed_;
      return;
    }
    ++failed_;
    std::printf("FAILED: %s: %s\n", name_.c_str(), what.c_str());
    for (const std::string& text : wanted) std::printf("  wanted %s\n", text.c_str());
    for (const std::string& text : got) std::printf("  got    %s\n", text.c_str());
  }

  const YAML::Node test_;
  const std::string name_;
  MemorySeries series_;
  std::vector<std::unique_ptr<GroupEvaluator>> evaluators_;
  int passed_ = 0;
  int failed_ = 0;
};

// Failed expectations.
int RunFile(const std::string& path) {
  const YAML::Node file = YAML::LoadFile(path);
  std::vector<RuleGroup> groups;
  for (const YAML::Node& name : file["rule_files"]) {
    const auto rules_path = std::filesystem::path(path).parent_path() / name.as<std::string>();
    auto read = ReadRuleFile(rules_path.string());
    if (!read.ok()) {
      std::printf("FAILED: %s\n", read.status().message().c_str());
      return 1;
    }
    std::move(read->begin(), read->end(), std::back_inserter(groups));
  }
  const int64_t interval_ms = Duration(file["evaluation_interval"]);
  int tests = 0;
  int passed = 0;
  int failed = 0;
  for (const YAML::Node& node : file["tests"]) {
    RulesTest test(groups, node);
    test.Run(interval_ms);
    ++tests;
    passed += test.passed();
    failed += test.failed();
  }
  std::printf("%s: %d tests, %d expectations passed, %d failed\n", path.c_str(), tests, passed,
              failed);
  return passed + failed == 0 ? 1 : failed;  // a file that expects nothing shows nothing
}

int Main(int argc, char** argv) {
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    try {
      failed += RunFile(argv[i]);
    } catch (const YAML::Exception& error) {
      std::printf("FAILED: %s: %s\n", argv[i], error.what());
      ++failed;
    }
  }
  return std::min(failed, kExitMax);
}

}  // namespace
}  // namespace hearth::rules

int main(int argc, char** argv) { return hearth::rules::Main(argc, argv); }
