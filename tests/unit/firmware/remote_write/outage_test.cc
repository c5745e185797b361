// A week without a link, by a clock that the test moves: what the receiver gets afterwards is all
// that the four tiers still hold, and the counters' increase is the true one.
#include "tests/unit/firmware/remote_write/pusher_fixture.h"

namespace hearth::remote_write {
namespace {

constexpr int64_t kWeekMs = int64_t{7} * 86'400'000;
constexpr int64_t kSampleMs = 5000;

TEST_F(PusherTest, AWeekWithoutALinkLosesNothingThatTheTiersHold) {
  Open();
  Start();
  receiver_.answer = {Delivery::Kind::kAgain, "", "no link", 0};
  const auto counter = Counter("c_total");
  const auto gauge = Gauge("g");
  const auto tick = [&](double i) {
    clock_.Advance(kSampleMs);
    ASSERT_TRUE(
        history_->Append(clock_.wall_ms, storage::HistoryTest::Values{{counter, 3 * i}, {gauge, i}})
            .ok());
  };
  const int64_t begin_ms = clock_.wall_ms;
  double i = 0;
  while (clock_.wall_ms < begin_ms + kWeekMs) {
    tick(++i);
    if (static_cast<int64_t>(i) % 120 != 0) continue;
    Flush();
    (void)pusher_->Step();
  }
  Flush();
  EXPECT_TRUE(receiver_.samples.empty());
  Start();
  receiver_.answer = {Delivery::Kind::kAcknowledged, "", "", 0};
  PushAll();

  // Each point is at most one step of the tier of its age after the one before it.
  const auto step_at = [&](int64_t time_ms) {
    const int64_t age_s = (clock_.wall_ms - time_ms) / 1000;
    for (const storage::TierOptions& tier : options_.tiers) {
      if (age_s <= tier.keep_s) return std::max(tier.step_s * 1000, kSampleMs);
    }
    return storage::Tail::kForever;
  };
  const Receiver::Samples& counted = Received("c_total");
  ASSERT_GT(counted.size(), 20'000u);
  EXPECT_LE(counted.front().first - begin_ms, 60'000);
  EXPECT_EQ(counted.back(), (std::pair<int64_t, double>(clock_.wall_ms, 3 * i)));
  for (size_t k = 1; k < counted.size(); ++k) {
    const int64_t gap_ms = counted[k].first - counted[k - 1].first;
    ASSERT_LE(gap_ms, step_at(counted[k - 1].first)) << "at " << counted[k].first - begin_ms;
    ASSERT_GE(counted[k].second, counted[k - 1].second);
    // What was counted by then: the sample at or before the point's time.
    const auto samples = static_cast<double>((counted[k].first - begin_ms) / kSampleMs);
    ASSERT_EQ(counted[k].second, 3 * samples);
  }
  EXPECT_EQ(Received("g").size(), counted.size());
  EXPECT_LE(receiver_.largest, samples_max_);
  RecordProperty("points", static_cast<int>(counted.size()));
}

}  // namespace
}  // namespace hearth::remote_write
