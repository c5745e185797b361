#include "firmware/models/stall_watch.h"

#include <gtest/gtest.h>

#include <functional>

namespace hearth::models {
namespace {

using protocol::Phase;

// A watch that looks four times a second at an engine of which a test says what it does.
class StallWatchTest : public ::testing::Test {
 protected:
  StallWatchTest() {
    view_.is_loading = false;
    view_.pulse.phase = Phase::kForward;
    view_.pulse.num_running = 1;
    view_.num_in_flight = 1;
  }

  // Looks for `seconds`; before each look `live` may change the view. Says when it stalled, or -1.
  double Watch(double seconds, const std::function<void()>& live = {}) {
    for (const double until_s = now_s_ + seconds; now_s_ < until_s;) {
      now_s_ += 0.25;
      if (live) live();
      if (const auto why = watch_.Look(view_, now_s_)) {
        why_ = *why;
        return now_s_ - kStartS;
      }
    }
    return -1;
  }

  static constexpr double kStartS = 1000;
  StallWatch watch_{StallLimits{}};
  StallView view_;
  double now_s_ = kStartS;
  std::string why_;
};

TEST_F(StallWatchTest, FindsAFrozenEngineAfterTenSeconds) {
  Watch(3, [this] { ++view_.pulse.beats; });
  EXPECT_NEAR(Watch(60), 3 + 10, 0.5);
  EXPECT_EQ(why_, "has not moved for 10 s (forward)");
}

TEST_F(StallWatchTest, FindsAnIdleEngineThatWasStopped) {
  view_.num_in_flight = view_.pulse.num_running = 0;
  view_.pulse.phase = Phase::kIdle;
  int looks = 0;
  EXPECT_EQ(Watch(600, [&] { view_.pulse.beats += ++looks % 4 == 0; }), -1) << "a beat a second";
  EXPECT_NEAR(Watch(60), 600 + 10, 1.5);
}

// A prompt of many tokens on a slow processor: one step of five minutes, whose pieces take 9 s.
TEST_F(StallWatchTest, LeavesAnEngineAloneWhoseStepTakesMinutes) {
  int looks = 0;
  EXPECT_EQ(Watch(300, [&] { view_.pulse.beats += ++looks % 36 == 0; }), -1);
}

TEST_F(StallWatchTest, AllowsFiveTimesWhatStepsTake) {
  for (int i = 0; i < 200; ++i) watch_.OnStep(8);
  Watch(1, [this] { ++view_.pulse.beats; });
  EXPECT_NEAR(Watch(120), 1 + 5 * 8, 0.5);
}

TEST_F(StallWatchTest, IsNotMisledByOneLongStep) {
  for (int i = 0; i < 500; ++i) watch_.OnStep(0.02);
  watch_.OnStep(60);
  EXPECT_EQ(watch_.allowed_s(), 180) << "it loads, as far as is known";
  Watch(1, [this] { ++view_.pulse.beats; });
  EXPECT_NEAR(Watch(60), 11, 0.5);
}

TEST_F(StallWatchTest, GivesALoadItsOwnTime) {
  view_.is_loading = true;
  view_.pulse.phase = Phase::kLoading;
  EXPECT_NEAR(Watch(600), 180, 1);
  EXPECT_NE(why_.find("(loading)"), std::string::npos) << why_;
}

TEST_F(StallWatchTest, BeginsAnewWhenTheLoadIsDone) {
  view_.is_loading = true;
  EXPECT_EQ(Watch(170), -1);
  view_.is_loading = false;
  EXPECT_NEAR(Watch(60), 170 + 10, 1);
}

TEST_F(StallWatchTest, DoesNotCountTheTimeInWhichNobodyLooked) {
  Watch(2, [this] { ++view_.pulse.beats; });
  for (int i = 0; i < 5; ++i) {
    now_s_ += 3600;  // hearthd was stopped, or the machine slept
    EXPECT_FALSE(watch_.Look(view_, now_s_).has_value());
  }
  EXPECT_LE(watch_.still_s(), 6);
}

TEST_F(StallWatchTest, FindsAnEngineThatForgotItsRequests) {
  view_.pulse.num_running = 0;
  view_.pulse.phase = Phase::kIdle;
  view_.num_in_flight = 3;
  EXPECT_NEAR(Watch(300, [this] { ++view_.pulse.beats; }), 120, 1);
  EXPECT_NE(why_.find("the 3 requests it was given"), std::string::npos) << why_;
}

TEST_F(StallWatchTest, DoesNotMistakeFramesForSilence) {
  view_.pulse.num_running = 0;
  view_.num_in_flight = 3;
  const auto live = [this] { ++view_.pulse.beats, ++view_.num_frames; };
  EXPECT_EQ(Watch(600, live), -1);
}

}  // namespace
}  // namespace hearth::models
