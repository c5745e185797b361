#include "firmware/http/body.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>

namespace hearth::http {
namespace {

class FakeClock : public Clock {
 public:
  double MonotonicSeconds() const override { return now_s; }
  int64_t WallMillis() const override { return 0; }
  double now_s = 100;
};

// Hands out pieces, each `pace_s` after the one before; then the peer closes.
class ScriptedConnection : public Connection {
 public:
  ScriptedConnection(FakeClock& clock, double pace_s = 0) : clock_(clock), pace_s_(pace_s) {}

  void AddPiece(std::string piece) { pieces_.push_back(std::move(piece)); }
  void AddBytewise(std::string_view bytes) {
    for (const char c : bytes) AddPiece(std::string(1, c));
  }

  int ReadSome(std::span<char> buffer, double timeout_s) override {
    if (pieces_.empty()) return kGone;
    if (pace_s_ > timeout_s) {
      clock_.now_s += timeout_s;
      return 0;
    }
    clock_.now_s += pace_s_;
    std::string& piece = pieces_.front();
    const size_t count = std::min(piece.size(), buffer.size());
    std::memcpy(buffer.data(), piece.data(), count);
    piece.erase(0, count);
    if (piece.empty()) pieces_.pop_front();
    return static_cast<int>(count);
  }
  int WriteSome(std::string_view, std::string_view, double) override { return kGone; }
  bool PeerGone() override { return pieces_.empty(); }
  void CloseAfterAnswer() override {}
  bool KeepsAlive() override { return true; }
  void LimitSendBuffer(int) override {}

  bool empty() const { return pieces_.empty(); }

 private:
  FakeClock& clock_;
  const double pace_s_;
  std::deque<std::string> pieces_;
};

class ReadBodyTest : public testing::Test {
 protected:
  std::optional<BodyFailure> ReadLength(uint64_t length) {
    return ReadBody(connection_, {.content_length = length}, limits_, clock_, body_);
  }
  std::optional<BodyFailure> ReadChunked() {
    return ReadBody(connection_, {.content_length = {}, .chunked = true}, limits_, clock_, body_);
  }
  int ChunkedStatus(std::string_view bytes) {
    ScriptedConnection connection(clock_);
    connection.AddPiece(std::string(bytes));
    std::string body;
    const auto failure =
        ReadBody(connection, {.content_length = {}, .chunked = true}, limits_, clock_, body);
    return failure ? failure->status : 200;
  }

  FakeClock clock_;
  BodyLimits limits_;
  ScriptedConnection connection_{clock_};
  std::string body_;
};

TEST_F(ReadBodyTest, ReadsExactlyTheAnnouncedBytes) {
  connection_.AddPiece("hello");
  connection_.AddPiece("world and the next request");
  ASSERT_FALSE(ReadLength(10));
  EXPECT_EQ(body_, "helloworld");
  EXPECT_FALSE(connection_.empty());
}

TEST_F(ReadBodyTest, NamesTheSizeAndTheLimit) {
  limits_.bytes_max = 1000;
  const auto failure = ReadLength(1001);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status, 413);
  EXPECT_NE(failure->message.find("1001"), std::string::npos);
  EXPECT_NE(failure->message.find("1000"), std::string::npos);
  EXPECT_EQ(body_.capacity(), std::string().capacity());
}

TEST_F(ReadBodyTest, HasNobodyToAnswerWhenThePeerCloses) {
  connection_.AddPiece("hel");
  const auto failure = ReadLength(5);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status, 0);
}

TEST_F(ReadBodyTest, GivesUpOnADribbler) {
  ScriptedConnection dribbler(clock_, 1.0);
  dribbler.AddBytewise(std::string(1000, 'x'));
  const double start_s = clock_.now_s;
  const auto failure = ReadBody(dribbler, {.content_length = 1000}, limits_, clock_, body_);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status, 408);
  EXPECT_LE(clock_.now_s - start_s, limits_.grace_s + 1);
}

TEST_F(ReadBodyTest, GivesUpAtTheDeadlineHoweverTheBytesCome) {
  ScriptedConnection slow(clock_, 1.0);
  for (int i = 0; i < 1000; ++i) slow.AddPiece(std::string(1024, 'x'));
  const double start_s = clock_.now_s;
  const auto failure = ReadBody(slow, {.content_length = 1000 * 1024}, limits_, clock_, body_);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->status, 408);
  EXPECT_LE(clock_.now_s - start_s, 30 + 1000.0 * 1024 / limits_.bytes_per_s + 1);
}

TEST_F(ReadBodyTest, DecodesChunksOfAnyGranularity) {
  const std::string bytes = "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
  connection_.AddBytewise(bytes);
  ASSERT_FALSE(ReadChunked());
  EXPECT_EQ(body_, "hello world");
  EXPECT_EQ(ChunkedStatus(bytes), 200);
}

TEST_F(ReadBodyTest, TakesThreeMegabytesInOneByteChunks) {
  // A server that spends stack per chunk dies of this.
  std::string bytes;
  constexpr size_t kChunks = 500'000;
  for (size_t i = 0; i < kChunks; ++i) bytes += "1\r\nx\r\n";
  connection_.AddPiece(bytes + "0\r\n\r\n");
  ASSERT_FALSE(ReadChunked());
  EXPECT_EQ(body_.size(), kChunks);
}

TEST_F(ReadBodyTest, RefusesMalformedChunks) {
  EXPECT_EQ(ChunkedStatus("0\r\n\r\n"), 200);
  EXPECT_EQ(ChunkedStatus("x\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("-1\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("+1\r\na\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("0x1\r\na\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("1 \r\na\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("1\na\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("1\r\nab\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("0\r\n\r\nGET / HTTP/1.1\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("ffffffffffffffff\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("fffffffffffffff\r\n"), 413);
  EXPECT_EQ(ChunkedStatus("1;" + std::string(300, 'e') + "\r\n"), 400);
  EXPECT_EQ(ChunkedStatus("0\r\n" + std::string(5000, 't')), 400);
}

TEST_F(ReadBodyTest, RefusesChunksThatAddUpToTooMuch) {
  limits_.bytes_max = 8;
  EXPECT_EQ(ChunkedStatus("8\r\n12345678\r\n0\r\n\r\n"), 200);
  EXPECT_EQ(ChunkedStatus("5\r\n12345\r\n4\r\n6789\r\n0\r\n\r\n"), 413);
}

TEST_F(ReadBodyTest, DrainsForABoundedTime) {
  ScriptedConnection endless(clock_, 0.5);
  endless.AddBytewise(std::string(1000, 'x'));
  const double start_s = clock_.now_s;
  DrainBody(endless, 2, clock_);
  EXPECT_NEAR(clock_.now_s - start_s, 2, 0.6);
}

}  // namespace
}  // namespace hearth::http
