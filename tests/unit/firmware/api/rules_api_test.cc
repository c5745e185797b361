#include "firmware/api/rules_api.h"

#include <gtest/gtest.h>

#include "storage/rules/rule_file.h"
#include "tests/unit/firmware/api/recorded_response.h"
#include "tests/unit/storage/rules/memory_series.h"

namespace hearth::api {
namespace {

constexpr const char* kRules = R"(
groups:
  - name: first
    interval: 10s
    limit: 5
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 1m
        keep_firing_for: 2m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} is down"}
  - name: second
    rules:
      - alert: Never
        expr: up > 1
        labels: {severity: ticket}
)";

// `up{job="a"}` is 0: Down is pending at 60 s and fires at 120 s.
class RulesApiTest : public testing::Test {
 protected:
  void SetUp() override {
    auto groups = rules::ParseRuleFile("a.yml", kRules);
    ASSERT_TRUE(groups.ok()) << groups.status().message();
    groups_ = *std::move(groups);
    for (const rules::RuleGroup& group : groups_) {
      evaluators_.push_back(
          std::make_unique<rules::GroupEvaluator>(&group, rules::EvaluatorOptions{}));
    }
    routes_ = RulesRoutes([this] {
      std::vector<rules::GroupStatus> statuses;
      for (const auto& evaluator : evaluators_) statuses.push_back(evaluator->status());
      return statuses;
    });
  }

  void EvaluateAt(int64_t time_ms) {
    series_.Put(promql::Labels({{"__name__", "up"}, {"job", "a"}}), {time_ms, 0});
    for (const auto& evaluator : evaluators_) evaluator->Evaluate(series_, series_, time_ms);
  }

  Json Rules(const std::string& query = "") {
    const RecordedResponse response = Get(routes_, "rules", query);
    EXPECT_EQ(response.status, 200) << response.body;
    return response.json()["data"]["groups"];
  }

  // "first: job:up:sum Down; second: Never"
  std::string Names(const std::string& query) {
    std::string names;
    for (const Json& group : Rules(query)) {
      if (!names.empty()) names += "; ";
      names += group["name"].get<std::string>() + ":";
      for (const Json& rule : group["rules"]) names += " " + rule["name"].get<std::string>();
    }
    return names;
  }

  void ExpectError(const std::string& query, const std::string& message) {
    const RecordedResponse response = Get(routes_, "rules", query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(response.json()["error"], message);
    EXPECT_EQ(response.json()["errorType"], "bad_data");
  }

  std::vector<rules::RuleGroup> groups_;
  std::vector<std::unique_ptr<rules::GroupEvaluator>> evaluators_;
  rules::MemorySeries series_;
  std::vector<http::Route> routes_;
};

TEST_F(RulesApiTest, ShowsRulesBeforeTheirFirstEvaluation) {
  const Json groups = Rules();
  EXPECT_EQ(groups[0]["interval"], 10);
  EXPECT_EQ(groups[0]["limit"], 5);
  EXPECT_EQ(groups[0]["file"], "a.yml");
  const Json& rule = groups[0]["rules"][1];
  EXPECT_EQ(rule["health"], "unknown");
  EXPECT_EQ(rule["state"], "inactive");
  EXPECT_EQ(rule["duration"], 60);
  EXPECT_EQ(rule["keepFiringFor"], 120);
  EXPECT_EQ(rule["query"], "up == 0");
  EXPECT_EQ(rule["annotations"]["summary"], "{{ $labels.job }} is down");
  EXPECT_EQ(rule["lastEvaluation"], "0001-01-01T00:00:00Z");
}

TEST_F(RulesApiTest, ShowsAlertsAsTheyBecomePendingAndFire) {
  EvaluateAt(60'000);
  EXPECT_EQ(Rules()[0]["rules"][1]["state"], "pending");
  EvaluateAt(120'000);
  const Json rule = Rules()[0]["rules"][1];
  EXPECT_EQ(rule["state"], "firing");
  EXPECT_EQ(rule["health"], "ok");
  const Json alert = *ParseJson(R"({
      "labels": {"alertname": "Down", "job": "a", "severity": "page"},
      "annotations": {"summary": "a is down"},
      "state": "firing", "activeAt": "1970-01-01T00:01:00Z", "value": "0e+00"})");
  EXPECT_EQ(rule["alerts"], Json::array({alert}));
  EXPECT_EQ(Get(routes_, "alerts").json()["data"], (Json{{"alerts", Json::array({alert})}}));
  EXPECT_EQ(Rules("exclude_alerts=true")[0]["rules"][1]["alerts"], Json::array());
}

TEST_F(RulesApiTest, FiltersByEveryParameter) {
  EXPECT_EQ(Names(""), "first: job:up:sum Down; second: Never");
  EXPECT_EQ(Names("type=alert"), "first: Down; second: Never");
  EXPECT_EQ(Names("type=record"), "first: job:up:sum");
  EXPECT_EQ(Names("rule_name[]=Down&rule_name[]=Never"), "first: Down; second: Never");
  EXPECT_EQ(Names("rule_group[]=second"), "second: Never");
  EXPECT_EQ(Names("file[]=a.yml&rule_name[]=Never"), "second: Never");
  EXPECT_EQ(Names("file[]=b.yml"), "");
  EXPECT_EQ(Names("match[]=%7Bseverity%3D%22page%22%7D"), "first: Down");
  EXPECT_EQ(Names("match[]=%7Bseverity%3D~%22p.*%22%7D&match[]=%7Bseverity%3D%22ticket%22%7D"),
            "first: Down; second: Never");
}

TEST_F(RulesApiTest, PagesOverGroups) {
  const Json first = Get(routes_, "rules", "group_limit=1").json()["data"];
  ASSERT_EQ(first["groups"].size(), 1u);
  const std::string token = first["groupNextToken"];
  const Json second =
      Get(routes_, "rules", "group_limit=1&group_next_token=" + token).json()["data"];
  EXPECT_EQ(second["groups"][0]["name"], "second");
  EXPECT_FALSE(second.contains("groupNextToken"));
}

TEST_F(RulesApiTest, RefusesWhatItCannotRead) {
  ExpectError("type=x", "invalid parameter \"type\": not supported value \"x\"");
  ExpectError("exclude_alerts=x",
              "invalid parameter \"exclude_alerts\": error converting exclude_alerts: "
              "strconv.ParseBool: parsing \"x\": invalid syntax");
  ExpectError("group_limit=0",
              "invalid parameter \"group_limit\": group_limit needs to be greater than 0");
  ExpectError("group_limit=1&group_next_token=x",
              "invalid parameter \"group_next_token\": invalid group_next_token 'x'. were rule "
              "groups changed?");
  ExpectError("match[]=%7B%7D", "match[] must contain at least one non-empty matcher");
}

}  // namespace
}  // namespace hearth::api
