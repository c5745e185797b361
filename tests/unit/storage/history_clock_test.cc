// A wall clock that is set, wrong or lost: nothing stored is lost, repeated or put out of order.
#include <random>

#include "history_fixture.h"

namespace hearth::storage {
namespace {

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kTenYears = int64_t{3650} * 86'400'000;
// The fixture's clock begins in 2027.

class HistoryClockTest : public HistoryTest {
 protected:
  // Values count up, so that an order of times is an order of values.
  void Run(int seconds) {
    for (int i = 0; i < seconds; ++i) Tick({{Gauge("g"), next_value_++}});
  }
  // All samples, in the order of their times.
  std::vector<promql::Sample> All() const {
    return Samples("g", {0, Tail::kForever / 4, 0, 0});
  }
  // Every sample ever taken is there once, in order, the newest one now.
  void ExpectAllInOrder() const {
    const auto samples = All();
    ASSERT_EQ(samples.size(), static_cast<size_t>(next_value_));
    for (size_t i = 0; i < samples.size(); ++i) {
      ASSERT_EQ(samples[i].value, static_cast<double>(i));
      if (i > 0) {
        ASSERT_GT(samples[i].time_ms, samples[i - 1].time_ms);
      }
    }
    ASSERT_EQ(samples.back().time_ms, clock_.wall_ms);
  }

  double next_value_ = 0;
};

TEST_F(HistoryClockTest, SetBackItTakesTheSamplesWithIt) {
  Open();
  Run(100);
  clock_.wall_ms -= kHour;
  Run(50);
  ExpectAllInOrder();
  const auto samples = All();
  for (size_t i = 1; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].time_ms - samples[i - 1].time_ms, 1000);
  }
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"clock_moved"}));
  Open();
  Run(10);
  ExpectAllInOrder();
}

TEST_F(HistoryClockTest, SetBackAndForwardAgainAllIsWhereItWas) {
  Open();
  Run(100);
  const auto before = All();
  clock_.wall_ms -= kHour;
  Run(50);
  clock_.wall_ms += kHour;
  Run(50);
  ExpectAllInOrder();
  const auto after = All();
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(after[i].time_ms, before[i].time_ms);
}

TEST_F(HistoryClockTest, SetForwardItLeavesAGapAndSetBackItClosesIt) {
  Open();
  Run(100);
  const int64_t last_ms = clock_.wall_ms;
  for (const int64_t step_ms : {kHour / 2, 5 * kHour, kTenYears}) {
    clock_.wall_ms += step_ms;
    const auto next = static_cast<size_t>(next_value_);
    Run(50);
    ExpectAllInOrder();
    EXPECT_GT(All()[next].time_ms, All()[next - 1].time_ms + step_ms);
    clock_.wall_ms -= step_ms;
    Run(50);
    ExpectAllInOrder();
    EXPECT_EQ(All()[99].time_ms, last_ms);
    EXPECT_EQ(All()[next].time_ms, All()[next - 1].time_ms + 1000);
  }
}

TEST_F(HistoryClockTest, WrongByYearsItExpiresNothing) {
  options_.tiers = {{0, 3600}, {10, 7200}};
  for (const int64_t step_ms : {kTenYears, -kTenYears, -kTenYears, kTenYears}) {
    Open();
    Run(600);
    Flush();
    clock_.wall_ms += step_ms;
    for (int i = 0; i < 5; ++i) {
      Run(60);
      Flush();
    }
    ExpectAllInOrder();
  }
  EXPECT_EQ(history_->stats().tiers[0].stored.rows, 4 * 900);
}

TEST_F(HistoryClockTest, RandomStepsLoseNothing) {
  std::mt19937_64 random(9);
  Open();
  for (int i = 0; i < 100; ++i) {
    clock_.wall_ms += static_cast<int64_t>(random() % 60'001) - 30'000;
    Run(20);
    if (i % 10 == 0) Flush();
    if (i % 7 == 0) Open();
    ExpectAllInOrder();
  }
}

TEST_F(HistoryClockTest, StepsWhileTheProcessIsDownAreSeenToo) {
  Open();
  Run(100);
  clock_.Advance(5000);
  clock_.wall_ms -= kHour;
  Open();
  Run(50);
  ExpectAllInOrder();
  EXPECT_EQ(All()[100].time_ms - All()[99].time_ms, 6000);
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"clock_moved"}));
}

TEST_F(HistoryClockTest, ABootWithoutAClockIsSetRightOnceTheClockIs) {
  Open();
  Run(100);
  const int64_t before_ms = clock_.wall_ms;
  for (const int64_t lost_ms : {int64_t{5000}, before_ms - 10 * kHour}) {
    clock_.Reboot(lost_ms);  // 1970, and the time of a file
    Open();
    Run(30);
    EXPECT_EQ(All().size(), static_cast<size_t>(next_value_));
    EXPECT_EQ(Samples("g", {before_ms - 100'000, before_ms, 0, 0}).size(), 100u);
    clock_.wall_ms = before_ms + kHour + (lost_ms == 5000 ? 0 : kHour);
    Run(30);
    ExpectAllInOrder();
    const auto samples = All();
    EXPECT_GT(samples[samples.size() - 60].time_ms, before_ms + kHour / 2);
    for (size_t i = samples.size() - 59; i < samples.size(); ++i) {
      EXPECT_EQ(samples[i].time_ms - samples[i - 1].time_ms, 1000);
    }
    Flush();
    Open();
    Run(5);
    ExpectAllInOrder();
  }
}

TEST_F(HistoryClockTest, BeforeItIsSetRightTheOlderSamplesOfThatTimeStay) {
  Open();
  Run(1000);
  clock_.Reboot(clock_.wall_ms - 500'000);
  Open();
  Run(100);
  // The newest boot answers for the hundred seconds that it has, all else is as it was.
  EXPECT_EQ(All().size(), 1000u);
  clock_.wall_ms += kHour;
  Run(1);
  ExpectAllInOrder();
}

TEST_F(HistoryClockTest, AYearSwitchedOffIsAGapThatRollUpsKeepToo) {
  options_.tiers = {{0, 86400}, {10, 2 * 86400}, {60, 35 * 86400}, {900, 730 * 86400}};
  Open();
  Run(2000);
  Flush();
  const int64_t last_ms = clock_.wall_ms;
  clock_.Reboot(last_ms + 365 * 24 * kHour + 12'345);
  Open();
  Run(2000);
  ExpectAllInOrder();
  for (const int64_t step_ms : {10'000, 60'000, 900'000}) {
    // Long enough that a coarse tier is chosen.
    const auto samples = Samples("g", {0, clock_.wall_ms, step_ms, 0});
    for (const auto& sample : samples) {
      // Nothing in the gap, and what is before it stems from before it.
      const bool before = sample.time_ms < last_ms + kHour;
      EXPECT_EQ(before, sample.value < 2000) << sample.time_ms;
      EXPECT_TRUE(!before || sample.time_ms <= last_ms + step_ms) << sample.time_ms;
    }
  }
}

TEST_F(HistoryClockTest, EventsMoveWithTheSamples) {
  Open();
  Run(100);
  history_->AddEvent({clock_.wall_ms, "alert", "hot"});
  Flush();
  clock_.wall_ms -= kHour;
  Run(1);
  auto events = history_->Events(clock_.wall_ms - 2000, clock_.wall_ms);
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].text, "hot");
  EXPECT_EQ((*events)[0].time_ms, clock_.wall_ms - 1000);
}

TEST_F(HistoryClockTest, RefusesTimesThatCannotBeStored) {
  Open();
  const SeriesId id = Gauge("g");
  for (const int64_t time_ms : {int64_t{-1}, int64_t{1} << 43, Tail::kForever}) {
    EXPECT_EQ(history_->Append(time_ms, Values{{id, 1}}).code(), StatusCode::kInvalidArgument);
  }
  Run(3);
  EXPECT_EQ(All().size(), 3u);
}

}  // namespace
}  // namespace hearth::storage
