#include "firmware/usage/consent.h"

#include <gtest/gtest.h>

#include <map>

namespace hearth::usage {
namespace {

std::string OptOut(const std::map<std::string, std::string>& environment) {
  return OptOutIn([&](const char* name) -> const char* {
    const auto it = environment.find(name);
    return it == environment.end() ? nullptr : it->second.c_str();
  });
}

TEST(OptOutIn, KnowsEachVariableThatForbidsIt) {
  EXPECT_EQ(OptOut({}), "");
  EXPECT_EQ(OptOut({{"HEARTH_USAGE_STATS_ENABLED", "0"}}), "HEARTH_USAGE_STATS_ENABLED=0");
  EXPECT_EQ(OptOut({{"RAY_USAGE_STATS_ENABLED", "0"}}), "RAY_USAGE_STATS_ENABLED=0");
  EXPECT_EQ(OptOut({{"DO_NOT_TRACK", "1"}}), "DO_NOT_TRACK=1");
  EXPECT_EQ(OptOut({{"DO_NOT_TRACK", "yes"}}), "DO_NOT_TRACK=yes");
}

TEST(OptOutIn, TakesNoOtherValueForANo) {
  EXPECT_EQ(OptOut({{"HEARTH_USAGE_STATS_ENABLED", "1"}, {"RAY_USAGE_STATS_ENABLED", "1"}}), "");
  EXPECT_EQ(OptOut({{"DO_NOT_TRACK", "0"}}), "");
  EXPECT_EQ(OptOut({{"DO_NOT_TRACK", "false"}}), "");
}

TEST(Decide, SaysNothingUntilSomebodyAnswered) {
  const Consent consent = Decide({}, std::nullopt);
  EXPECT_FALSE(consent.enabled.has_value());
  EXPECT_TRUE(consent.can_change);
  EXPECT_EQ(consent.decided_by, "");
}

TEST(Decide, LetsANoWinWhereverItIsSaid) {
  EXPECT_EQ(Decide({.opt_out = "DO_NOT_TRACK=1", .configured = true}, true).enabled, false);
  EXPECT_EQ(Decide({.configured = false}, true).enabled, false);
  EXPECT_EQ(Decide({.configured = true}, false).enabled, false);
  EXPECT_FALSE(Decide({.opt_out = "DO_NOT_TRACK=1"}, true).can_change);
  EXPECT_FALSE(Decide({.configured = false}, true).can_change);
  EXPECT_TRUE(Decide({.configured = true}, false).can_change);
}

TEST(Decide, TakesAYesOfTheSettingOrOfThePage) {
  EXPECT_EQ(Decide({.configured = true}, std::nullopt).enabled, true);
  EXPECT_EQ(Decide({}, true).enabled, true);
  EXPECT_EQ(Decide({}, true).decided_by, "an answer on the usage page");
}

TEST(Decide, TellsWhereItWasDecided) {
  const ConsentSources file = {.configured = false, .configured_where = "/etc/hearth/hearth.yaml:3"};
  EXPECT_EQ(Decide(file, true).decider, "setting");
  EXPECT_EQ(Decide(file, true).place, "/etc/hearth/hearth.yaml:3");
  EXPECT_EQ(Decide({.opt_out = "DO_NOT_TRACK=1"}, true).decider, "environment");
  EXPECT_EQ(Decide({}, false).decider, "answer");
}

}  // namespace
}  // namespace hearth::usage
