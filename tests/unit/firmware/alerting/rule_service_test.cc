#include "firmware/alerting/rule_service.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(RuleService, TheShippedRulesAreTheDefault) {
  const auto groups = LoadRules({});
  ASSERT_TRUE(groups.ok()) << groups.status().message();
  const auto read = LoadRules({"packaging/prometheus/hearth.rules.yml"});
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(groups->size(), read->size());
  for (size_t i = 0; i < groups->size(); ++i) {
    EXPECT_EQ((*groups)[i].name, (*read)[i].name);
    EXPECT_EQ((*groups)[i].rules.size(), (*read)[i].rules.size());
  }
  EXPECT_EQ((*groups)[0].name, "hearth-recording");
}

TEST(RuleService, AFileThatIsAbsentIsAnError) {
  EXPECT_EQ(LoadRules({"/nonexistent/rules.yml"}).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace hearth
