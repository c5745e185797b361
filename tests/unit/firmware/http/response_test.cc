#include "firmware/http/response.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hearth::http {
namespace {

// A socket that takes a few bytes at a time, and none beyond `room`.
class NarrowConnection : public Connection {
 public:
  NarrowConnection(size_t bite, size_t room) : bite_(bite), room_(room) {}

  int ReadSome(std::span<char>, double) override { return kGone; }
  int WriteSome(std::string_view head, std::string_view body, double) override {
    const size_t count = std::min({bite_, room_ - written_.size(), head.size() + body.size()});
    if (count == 0) return kGone;
    written_ += (std::string(head) + std::string(body)).substr(0, count);
    return static_cast<int>(count);
  }
  bool PeerGone() override { return written_.size() == room_; }
  void CloseAfterAnswer() override { keeps_alive_ = false; }
  bool KeepsAlive() override { return keeps_alive_; }
  void LimitSendBuffer(int) override {}

  const std::string& written() const { return written_; }

 private:
  const size_t bite_, room_;
  std::string written_;
  bool keeps_alive_ = true;
};

std::string BodyOfSize(size_t bytes) {
  std::string body(bytes, ' ');
  for (size_t i = 0; i < bytes; ++i) body[i] = static_cast<char>('a' + i % 23);
  return body;
}

TEST(ConnectionResponse, SendsHeadAndBodyInWhateverBitesTheSocketTakes) {
  for (const size_t bite : {1, 7, 500, 1000, 100'000}) {
    for (const size_t bytes : {0, 1, 4096, 4097, 50'000}) {
      NarrowConnection connection(bite, std::string::npos);
      const WriteLimits limits;
      ConnectionResponse response(connection, limits, *Clock::System(), {.request_id = "id"});
      const std::string body = BodyOfSize(bytes);
      response.Send(200, "text/plain", body);
      const std::string& written = connection.written();
      EXPECT_EQ(written.substr(written.find("\r\n\r\n") + 4), body) << bite << ", " << bytes;
      EXPECT_NE(written.find("Content-Length: " + std::to_string(bytes) + "\r\n"),
                std::string::npos);
      EXPECT_EQ(response.bytes_sent(), written.size());
      EXPECT_TRUE(connection.KeepsAlive());
    }
  }
}

TEST(ConnectionResponse, CountsWhatWasTakenWhenTheClientLeaves) {
  NarrowConnection connection(1000, 10'000);
  const WriteLimits limits;
  ConnectionResponse response(connection, limits, *Clock::System(), {.request_id = "id"});
  response.Send(200, "text/plain", BodyOfSize(50'000));
  EXPECT_EQ(response.bytes_sent(), 10'000u);
  EXPECT_EQ(response.status(), 200);
  EXPECT_FALSE(connection.KeepsAlive()) << "the rest of a torn answer must not look like the next";
  EXPECT_TRUE(response.ClientGone());
}

}  // namespace
}  // namespace hearth::http
