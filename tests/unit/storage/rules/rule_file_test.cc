#include "storage/rules/rule_file.h"

#include <gtest/gtest.h>

namespace hearth::rules {
namespace {

std::string Mistake(const std::string& text) {
  const Result<std::vector<RuleGroup>> groups = ParseRuleFile("box.yml", text);
  return groups.ok() ? "none" : groups.status().message();
}

// A group of one rule with these lines; the first of them is line 4.
std::string RuleMistake(const std::string& lines) {
  return Mistake("groups:\n  - name: g\n    rules:\n" + lines);
}

TEST(RuleFile, ReadsEveryField) {
  const auto groups = ParseRuleFile("box.yml", R"(
groups:
  - name: g
    interval: 30s
    limit: 7
    query_offset: 30s
    labels: {team: ops, severity: low}
    rules:
      - record: job:up:sum
        expr: sum  without(instance)(up)
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1h30m
        labels: {severity: "{{ $labels.level }}"}
        annotations:
          summary: "{{ $value }}"
  - name: empty
)");
  ASSERT_TRUE(groups.ok()) << groups.status().message();
  ASSERT_EQ(groups->size(), 2u);
  const RuleGroup& group = (*groups)[0];
  EXPECT_EQ(group.interval_ms, 30'000);
  EXPECT_EQ(group.limit, 7);
  EXPECT_EQ(group.query_offset_ms, 30'000);
  ASSERT_EQ(group.rules.size(), 2u);
  EXPECT_EQ(group.rules[0].query, "sum without (instance) (up)");
  const Rule& alert = group.rules[1];
  EXPECT_EQ(alert.kind, Rule::Kind::kAlert);
  EXPECT_EQ(alert.for_ms, 300'000);
  EXPECT_EQ(alert.keep_firing_for_ms, 5'400'000);
  ASSERT_EQ(alert.labels.size(), 2u);
  EXPECT_EQ(alert.labels[0].second.text(), "{{ $labels.level }}");
  EXPECT_EQ(alert.labels[1].second.text(), "ops");
  EXPECT_EQ((*groups)[1].interval_ms, kDefaultIntervalMs);
}

TEST(RuleFile, NamesFileLineGroupRuleAndField) {
  EXPECT_EQ(RuleMistake("      - alert: A\n        expr: sum(\n"),
            "box.yml:5: group 'g': rule 'A': expr: 1:5: parse error: unclosed left parenthesis");
  EXPECT_EQ(RuleMistake("      - alert: A\n        expr: up\n        for: soon\n"),
            "box.yml:6: group 'g': rule 'A': for: \"soon\" is no duration; write it as 5m or 1h30m");
  EXPECT_EQ(RuleMistake("      - alert: A\n        expr: up\n        annotations:\n"
                        "          summary: '{{ tableLink 1 }}'\n"),
            "box.yml:7: group 'g': rule 'A': annotations.summary: at byte 0: \"tableLink\" is not "
            "supported in templates");
  EXPECT_EQ(RuleMistake("      - alert: A\n        expr: up\n        fro: 5m\n"),
            "box.yml:6: group 'g': rule 'A': fro: there is no such field; there are record, alert, "
            "expr, for, keep_firing_for, labels, annotations");
}

TEST(RuleFile, RefusesWhatPrometheusRefuses) {
  EXPECT_EQ(RuleMistake("      - expr: up\n"),
            "box.yml:4: group 'g': record, alert: a rule has exactly one of the two");
  EXPECT_EQ(RuleMistake("      - {record: a, alert: b, expr: up}\n"),
            "box.yml:4: group 'g': record, alert: a rule has exactly one of the two");
  EXPECT_EQ(RuleMistake("      - record: a\n"),
            "box.yml:4: group 'g': rule 'a': expr: the field is missing");
  EXPECT_EQ(RuleMistake("      - {record: a b, expr: up}\n"),
            "box.yml:4: group 'g': rule 'a b': record: \"a b\" cannot be the name of a metric");
  EXPECT_EQ(RuleMistake("      - {record: a, expr: up, for: 5m}\n"),
            "box.yml:4: group 'g': rule 'a': for: a recording rule has no such field");
  EXPECT_EQ(RuleMistake("      - {alert: a, expr: 'up[5m]'}\n"),
            "box.yml:4: group 'g': rule 'a': expr: it gives a range vector, a rule needs an "
            "instant vector or a scalar");
  EXPECT_EQ(RuleMistake("      - {alert: a, expr: up, labels: {a-b: x}}\n"),
            "box.yml:4: group 'g': rule 'a': labels.a-b: this cannot be the name of a label");
  EXPECT_EQ(RuleMistake("      - {alert: a, expr: up, expr: up}\n"),
            "box.yml:4: group 'g': rule 'a': expr: the field is there twice");
}

TEST(RuleFile, RefusesBrokenGroupsAndYaml) {
  EXPECT_EQ(Mistake("groups: [{name: g}, {name: g}]"),
            "box.yml:1: name: there are two groups 'g'");
  EXPECT_EQ(Mistake("groups: [{rules: []}]"), "box.yml:1: name: the group has none");
  EXPECT_EQ(Mistake("groups: [{name: g, interval: 10ms}]"),
            "box.yml:1: group 'g': interval: it is below 1s, the rhythm of the history");
  EXPECT_EQ(Mistake("groups: [{name: g, limit: many}]"),
            "box.yml:1: group 'g': limit: \"many\" is no number of at least 0");
  EXPECT_EQ(Mistake("group: []"), "box.yml:1: group: there is no such field; there are groups");
  EXPECT_TRUE(Mistake("groups: [").starts_with("box.yml:1: this is not YAML: "));
  EXPECT_EQ(Mistake(""), "none");
}

TEST(RuleFile, SaysThatAFileIsAbsent) {
  const auto groups = ReadRuleFile("/nonexistent/x.yml");
  EXPECT_EQ(groups.status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace hearth::rules
