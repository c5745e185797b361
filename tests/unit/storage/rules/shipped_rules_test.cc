// The rules that run by default: they load, and every one of them evaluates.
#include <gtest/gtest.h>

#include "storage/rules/rule_file.h"
#include "tests/unit/storage/rules/memory_series.h"

namespace hearth::rules {
namespace {

TEST(ShippedRules, LoadAndEvaluateWithoutAFailure) {
  const auto groups = ReadRuleFile("packaging/prometheus/hearth.rules.yml");
  ASSERT_TRUE(groups.ok()) << groups.status().message();
  MemorySeries series;
  const int64_t time_ms = 1'800'000'000'000;
  series.Put(promql::Labels({{"__name__", "up"}, {"job", "hearth"}, {"instance", "attic"}}),
             {time_ms, 1});
  size_t alerts = 0;
  for (const RuleGroup& group : *groups) {
    GroupEvaluator evaluator(&group, {});
    EXPECT_TRUE(evaluator.Evaluate(series, series, time_ms).empty());
    const GroupStatus status = evaluator.status();
    for (const RuleStatus& rule : status.rules) {
      EXPECT_EQ(rule.last_error, "") << rule.rule->name;
      alerts += rule.rule->kind == Rule::Kind::kAlert;
    }
  }
  EXPECT_GT(alerts, 20u);
  EXPECT_EQ(series.Query("hearth:slo_objective:ratio", time_ms).size(), 1u);
}

}  // namespace
}  // namespace hearth::rules
