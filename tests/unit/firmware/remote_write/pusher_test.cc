#include "firmware/remote_write/pusher.h"

#include <fstream>

#include "tests/unit/firmware/remote_write/pusher_fixture.h"

namespace hearth::remote_write {
namespace {

using Kind = Delivery::Kind;

TEST_F(PusherTest, SendsWhatIsOnDiskAndNothingElse) {
  Open();
  Start();
  const auto id = Gauge("g");
  for (int i = 0; i < 10; ++i) Tick({{id, 1.0 * i}});
  PushAll();
  EXPECT_TRUE(Received("g").empty()) << "a crash could take it back";
  Flush();
  Tick({{id, 99}});
  PushAll();
  ASSERT_EQ(Received("g").size(), 10u);
  EXPECT_EQ(Received("g").back(), (std::pair<int64_t, double>(clock_.wall_ms - 1000, 9)));
  EXPECT_EQ(pusher_->counts().samples_sent, 10);
}

TEST_F(PusherTest, BeginsWithTheFirstSampleAfterItsFirstStart) {
  Open();
  const auto id = Gauge("g");
  Tick({{id, 1}});
  Flush();
  Start();
  Tick({{id, 2}});
  Flush();
  PushAll();
  ASSERT_EQ(Received("g").size(), 1u);
  EXPECT_EQ(Received("g")[0].second, 2);
}

TEST_F(PusherTest, RepeatsTheSameRequestWithDoublingPauses) {
  Open();
  Start();
  const auto id = Gauge("g");
  Tick({{id, 1}});
  Flush();
  receiver_.answer = {Kind::kAgain, "", "no link", 0};
  std::vector<double> pauses;
  for (int i = 0; i < 11; ++i) pauses.push_back(pusher_->Step());
  EXPECT_EQ(pauses, (std::vector<double>{0.03, 0.06, 0.12, 0.24, 0.48, 0.96, 1.92, 3.84, 5, 5, 5}));
  receiver_.answer = {Kind::kAgain, "", "busy", 17};
  EXPECT_EQ(pusher_->Step(), 17) << "as the receiver asks";
  for (const std::string& body : receiver_.bodies) EXPECT_EQ(body, receiver_.bodies[0]);
  EXPECT_EQ(pusher_->counts().samples_retried, 12);
  receiver_.answer = {Kind::kAcknowledged, "", "", 0};
  PushAll();
  EXPECT_EQ(Received("g").size(), 1u);
  receiver_.answer = {Kind::kAgain, "", "no link", 0};
  Tick({{id, 2}});
  Flush();
  EXPECT_EQ(pusher_->Step(), 0.03) << "begins anew after a good request";
}

TEST_F(PusherTest, PassesOverWhatIsRefusedAndCountsIt) {
  Open();
  Start();
  const auto id = Gauge("g");
  Tick({{id, 1}});
  Tick({{id, 2}});
  Flush();
  receiver_.answer = {Kind::kRefused, "http_400", "out of bounds", 0};
  PushAll();
  EXPECT_EQ(pusher_->counts().samples_dropped.at("http_400"), 2);
  receiver_.answer = {Kind::kAcknowledged, "", "", 0};
  Tick({{id, 3}});
  Flush();
  PushAll();
  ASSERT_EQ(Received("g").size(), 1u);
  EXPECT_EQ(Received("g")[0].second, 3);
}

TEST_F(PusherTest, GoesOnAfterARestartWithoutSendingTwice) {
  samples_max_ = 3;
  Open();
  Start();
  const auto id = Gauge("g");
  for (int i = 0; i < 20; ++i) Tick({{id, 1.0 * i}});
  Flush();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(pusher_->Step(), 0);
  Start();
  Open();  // and hearthd itself
  Start();
  PushAll();
  ASSERT_EQ(Received("g").size(), 20u);
  EXPECT_EQ(receiver_.largest, 3u);
}

TEST_F(PusherTest, AfterACrashSendsOnlyWhatItHadSentBefore) {
  samples_max_ = 3;
  Open();
  Start();
  const auto id = Gauge("g");
  for (int i = 0; i < 20; ++i) Tick({{id, 1.0 * i}});
  Flush();
  std::ifstream cursor(cursor_path());
  const std::string saved((std::istreambuf_iterator<char>(cursor)), {});
  PushAll();
  const auto first = Received("g");
  pusher_.reset();
  std::ofstream(cursor_path()) << saved;  // as the disk has it when the power fails
  receiver_.samples.clear();
  Start();
  PushAll();
  EXPECT_EQ(Received("g"), first) << "the same times and values, which a receiver takes as known";
}

TEST_F(PusherTest, ABrokenCursorBeginsAnew) {
  Open();
  const auto id = Gauge("g");
  Tick({{id, 1}});
  Flush();
  std::ofstream(cursor_path()) << "{";
  Start();
  Tick({{id, 2}});
  Flush();
  PushAll();
  EXPECT_EQ(Received("g").size(), 1u);
}

TEST_F(PusherTest, PassesOverLongGapsAndTimesBeforeTheHistory) {
  Open();
  ASSERT_TRUE(CursorFile(cursor_path()).Write(5).ok());
  Start();
  const auto id = Gauge("g");
  Tick({{id, 1}});
  clock_.Advance(int64_t{30} * 86'400'000);
  Tick({{id, 2}});
  Flush();
  PushAll();
  ASSERT_EQ(Received("g").size(), 2u);
  EXPECT_EQ(Received("g")[1].second, 2);
}

TEST_F(PusherTest, NamesTheBacklog) {
  Open();
  Start();
  const auto id = Gauge("g");
  receiver_.answer = {Kind::kAgain, "", "no link", 0};
  Tick({{id, 1}});
  Flush();
  const int64_t begin_ms = clock_.wall_ms;
  (void)pusher_->Step();
  for (int i = 0; i < 100; ++i) Tick({{id, 1}});
  (void)pusher_->Step();
  EXPECT_EQ(pusher_->counts().newest_ms, begin_ms + 100'000);
  EXPECT_LT(pusher_->counts().acknowledged_ms, begin_ms);
}

}  // namespace
}  // namespace hearth::remote_write
