#include "storage/rules/evaluator.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/storage/rules/memory_series.h"

namespace hearth::rules {
namespace {

constexpr int64_t kStartMs = 1'800'000'000'000;

// One group over series in memory, evaluated every 10 s.
class GroupEvaluatorTest : public testing::Test {
 protected:
  void Load(const std::string& rules, int64_t restore_before_ms = 0) {
    const std::string head = "groups:\n  - name: g\n    limit: 3\n    rules:\n";
    auto groups = ParseRuleFile("test.yml", head + rules);
    ASSERT_TRUE(groups.ok()) << groups.status().message();
    group_ = std::make_unique<RuleGroup>((*groups)[0]);
    EvaluatorOptions options;
    options.restore_before_ms = restore_before_ms;
    options.default_labels = promql::Labels({promql::Labels::Pair{"instance", "attic"}});
    evaluator_ = std::make_unique<GroupEvaluator>(group_.get(), options);
  }

  void Put(const std::string& name, double value) {
    series_.Put(promql::Labels({{"__name__", name}}), {time_ms_, value});
  }

  // 10 s later `load` is so much; the changes as "pending>firing".
  std::string Step(double load) {
    time_ms_ += 10'000;
    Put("load", load);
    return Evaluate();
  }
  std::string Evaluate() {
    std::string text;
    for (const AlertChange& change : evaluator_->Evaluate(series_, series_, time_ms_)) {
      text += std::string(AlertStateName(change.before)) + ">" +
              std::string(AlertStateName(change.alert.state)) + " ";
    }
    return text;
  }
  RuleStatus status(size_t rule = 0) const { return evaluator_->status().rules[rule]; }

  MemorySeries series_;
  int64_t time_ms_ = kStartMs;
  std::unique_ptr<RuleGroup> group_;
  std::unique_ptr<GroupEvaluator> evaluator_;
};

constexpr char kHigh[] =
    "      - alert: High\n        expr: load > 1\n        for: 20s\n"
    "        labels: {severity: 'of {{ $value }}'}\n"
    "        annotations: {summary: '{{ $labels.instance }} {{ $value }}'}\n";

TEST_F(GroupEvaluatorTest, GoesFromPendingToFiringToResolved) {
  Load("      - alert: High\n        expr: load > 1\n        for: 20s\n");
  EXPECT_EQ(Step(0), "");
  EXPECT_EQ(Step(2), "inactive>pending ");
  EXPECT_EQ(Step(3), "");
  EXPECT_EQ(Step(4), "pending>firing ");
  ASSERT_EQ(status().alerts.size(), 1u);
  EXPECT_EQ(status().alerts[0].value, 4);
  EXPECT_EQ(status().alerts[0].active_at_ms, kStartMs + 20'000);
  EXPECT_EQ(Step(0), "firing>inactive ");
  EXPECT_EQ(status().alerts[0].resolved_at_ms, time_ms_);
  EXPECT_EQ(Step(2), "inactive>pending ");
  EXPECT_EQ(Step(0), "pending>inactive ");
  EXPECT_TRUE(status().alerts.empty());
}

TEST_F(GroupEvaluatorTest, FiresAtOnceWithoutFor) {
  Load("      - alert: High\n        expr: load > 1\n");
  EXPECT_EQ(Step(2), "inactive>firing ");
}

TEST_F(GroupEvaluatorTest, KeepsFiringAsLongAsToldTo) {
  Load("      - alert: High\n        expr: load > 1\n        keep_firing_for: 20s\n");
  EXPECT_EQ(Step(2), "inactive>firing ");
  EXPECT_EQ(Step(0), "");
  EXPECT_EQ(Step(0), "");
  EXPECT_EQ(Step(2), "");  // counts anew from here
  EXPECT_EQ(Step(0), "");
  EXPECT_EQ(Step(0), "");
  EXPECT_EQ(Step(0), "firing>inactive ");
}

TEST_F(GroupEvaluatorTest, ForgetsTheResolvedAfterAQuarterOfAnHour) {
  Load("      - alert: High\n        expr: load > 1\n");
  Step(2);
  Step(0);
  EXPECT_EQ(status().alerts.size(), 1u);
  time_ms_ += 15 * 60'000;
  Step(0);
  EXPECT_TRUE(status().alerts.empty());
}

TEST_F(GroupEvaluatorTest, MakesAlertsSeriesThatEnd) {
  Load("      - alert: High\n        expr: load > 1\n        for: 10s\n");
  Step(2);
  auto series = series_.Query("ALERTS", time_ms_);
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].labels.Get("alertstate"), "pending");
  EXPECT_EQ(series[0].labels.Get("instance"), "attic");
  const int64_t since_ms = time_ms_;
  Step(2);
  series = series_.Query("ALERTS", time_ms_);
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].labels.Get("alertstate"), "firing");
  series = series_.Query("ALERTS_FOR_STATE", time_ms_);
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].samples[0].value, static_cast<double>(since_ms / 1000));
  Step(0);
  EXPECT_TRUE(series_.Query("{__name__=~'ALERTS.*'}", time_ms_).empty());
}

TEST_F(GroupEvaluatorTest, ExpandsLabelsAndAnnotations) {
  Load(kHigh);
  Step(2);
  ASSERT_EQ(status().alerts.size(), 1u);
  EXPECT_EQ(status().alerts[0].labels.Get("severity"), "of 2");
  EXPECT_EQ(status().alerts[0].labels.Get("alertname"), "High");
  EXPECT_EQ(status().alerts[0].labels.Get("__name__"), "");
  EXPECT_EQ(status().alerts[0].annotations[0].second, "attic 2");
}

TEST_F(GroupEvaluatorTest, RulesSeeWhatRulesBeforeThemGave) {
  Load("      - {record: double, expr: load * 2}\n      - {record: more, expr: double + 1}\n"
       "      - {record: plain, expr: '7', labels: {a: b}}\n");
  Step(4);
  const auto series = series_.Query("more", time_ms_);
  ASSERT_EQ(series.size(), 1u);
  EXPECT_EQ(series[0].samples[0].value, 9);
  EXPECT_EQ(series_.Query("plain{a='b'}", time_ms_).size(), 1u);
}

TEST_F(GroupEvaluatorTest, AFailureIsToldAndEndsTheSeriesOfTheRule) {
  Load("      - {record: pair, expr: '{__name__=~\"load|more\"}'}\n");
  EXPECT_EQ(Step(1), "");
  EXPECT_EQ(status().last_error, "");
  EXPECT_EQ(series_.Query("pair", time_ms_).size(), 1u);
  Put("more", 1);
  Step(1);
  EXPECT_EQ(status().last_error,
            "vector contains metrics with the same labelset after applying rule labels");
  EXPECT_EQ(evaluator_->status().failures, 1);
  EXPECT_TRUE(series_.Query("pair", time_ms_).empty());
}

TEST_F(GroupEvaluatorTest, ASeriesWithoutASampleMakesNone) {
  Load("      - {record: total, expr: sum by (a) (later)}\n");
  series_.Put(promql::Labels({{"__name__", "later"}, {"a", "b"}}), {time_ms_ + 3'600'000, 1});
  Step(1);
  EXPECT_TRUE(series_.Query("total", time_ms_).empty());
}

TEST_F(GroupEvaluatorTest, KeepsToTheLimitOfTheGroup) {
  Load("      - {alert: Many, expr: '{__name__=~\"m.\"}', labels: {n: '{{ $value }}'}}\n");
  time_ms_ += 10'000;
  for (int i = 0; i < 4; ++i) Put("m" + std::to_string(i), i);
  EXPECT_EQ(Evaluate(), "");
  EXPECT_EQ(status().last_error, "exceeded limit of 3 with 4 alerts");
}

TEST_F(GroupEvaluatorTest, LooksAtTheTimeOfItsQueryOffset) {
  Load("      - record: copy\n        expr: load\n");
  group_->query_offset_ms = 10'000;
  Step(1);
  Step(2);
  const auto copy = series_.Query("copy", time_ms_);
  ASSERT_EQ(copy.size(), 1u);
  EXPECT_EQ(copy.front().samples.front().value, 1);
}

TEST_F(GroupEvaluatorTest, SinceTimesSurviveARestart) {
  Load("      - alert: High\n        expr: load > 1\n        for: 20s\n");
  Step(2);
  Step(2);
  const int64_t down_at_ms = time_ms_;
  Load("      - alert: High\n        expr: load > 1\n        for: 20s\n", down_at_ms);
  time_ms_ += 600'000;  // the box was off; the 10 s of before count
  EXPECT_EQ(Step(2), "inactive>pending ");
  EXPECT_EQ(status().alerts[0].active_at_ms, time_ms_ - 10'000);
  EXPECT_EQ(Step(2), "pending>firing ");
}

TEST_F(GroupEvaluatorTest, WhatFiredBeforeARestartFiresOnWithoutAChange) {
  const std::string rule = "      - alert: High\n        expr: load > 1\n        for: 20s\n";
  Load(rule);
  Step(2);
  const int64_t since_ms = time_ms_;
  Step(2);
  Step(2);
  Load(rule, time_ms_);
  EXPECT_EQ(Step(2), "");
  EXPECT_EQ(status().alerts[0].state, AlertState::kFiring);
  EXPECT_EQ(status().alerts[0].active_at_ms, since_ms);
}

}  // namespace
}  // namespace hearth::rules
