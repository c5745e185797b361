#include "firmware/models/crash_policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace hearth::models {
namespace {

TEST(CrashPolicy, RestartsAtOnceAndThenAfterOneTwoFourToSixtySeconds) {
  CrashState state;
  std::vector<double> delays;
  for (int i = 0; i < 9; ++i) {
    delays.push_back(OnCrash(state, {}, /*lived_s=*/1, /*now_s=*/1000 + i).delay_s);
  }
  EXPECT_EQ(delays, (std::vector<double>{0, 1, 2, 4, 8, 16, 32, 60, 60}));
}

TEST(CrashPolicy, RestartsAtOnceWhatLivedAMinute) {
  CrashState state;
  for (int i = 0; i < 4; ++i) OnCrash(state, {}, 1, 1000);
  EXPECT_EQ(OnCrash(state, {}, 61, 2000).delay_s, 0);
  EXPECT_EQ(OnCrash(state, {}, 1, 2001).delay_s, 1);
}

TEST(CrashPolicy, TurnsDegradedAtTheFifthCrashInTenMinutesOnce) {
  CrashState state;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(OnCrash(state, {}, 1, 100 * i).turned_degraded);
  EXPECT_FALSE(state.safe_mode);
  EXPECT_TRUE(OnCrash(state, {}, 1, 400).turned_degraded);
  EXPECT_TRUE(state.safe_mode);
  EXPECT_FALSE(OnCrash(state, {}, 1, 401).turned_degraded);
  EXPECT_TRUE(state.safe_mode);
}

TEST(CrashPolicy, ForgetsCrashesOlderThanTenMinutes) {
  CrashState state;
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(OnCrash(state, {}, 149, 150.5 * i).turned_degraded) << i;
  }
  EXPECT_LE(state.crash_times_s.size(), 5u);
}

TEST(CrashPolicy, TakesWhatEnginesDieOfOutOfSafeMode) {
  protocol::Load load;
  load.model = "/models/m";
  const protocol::Load safe = InSafeMode(load);
  EXPECT_EQ(safe.max_num_seqs, 1);
  EXPECT_EQ(safe.max_num_batched_tokens, 512);
  EXPECT_FALSE(safe.enable_prefix_caching);
  EXPECT_EQ(safe.model, load.model);
  load.max_num_batched_tokens = 128;
  EXPECT_EQ(InSafeMode(load).max_num_batched_tokens, 128) << "never more than was asked for";
}

}  // namespace
}  // namespace hearth::models
