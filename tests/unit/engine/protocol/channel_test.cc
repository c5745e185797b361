#include "engine/protocol/channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <thread>

namespace hearth::protocol {
namespace {

class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto fds = MakeSocketPair();
    ASSERT_TRUE(fds.ok());
    near_ = std::make_unique<Channel>(fds->first);
    far_ = std::make_unique<Channel>(fds->second);
  }
  std::unique_ptr<Channel> near_;
  std::unique_ptr<Channel> far_;
};

TEST_F(ChannelTest, KeepsFramesWholeWhenThreadsSendAtOnce) {
  constexpr int kPerThread = 500;
  std::vector<std::thread> senders;
  for (uint64_t base : {0, 1'000, 2'000, 3'000}) {
    senders.emplace_back([this, base] {
      for (uint64_t i = 0; i < kPerThread; ++i) EXPECT_TRUE(near_->Send(Abort{base + i}).ok());
    });
  }
  uint64_t sum = 0;
  for (int i = 0; i < 4 * kPerThread; ++i) {
    const auto message = far_->Receive();
    ASSERT_TRUE(message.ok()) << message.status().ToString();
    sum += std::get<Abort>(*message).request_id;
  }
  for (auto& sender : senders) sender.join();
  EXPECT_EQ(sum, 500u * 6'000 + 4 * (499u * 500 / 2));
}

TEST_F(ChannelTest, SaysThatThePeerIsGone) {
  near_.reset();
  EXPECT_EQ(far_->Receive().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(far_->Send(Shutdown{}).code(), StatusCode::kUnavailable);
}

TEST_F(ChannelTest, TriesWithoutWaitingForAPeerThatDoesNotRead) {
  uint64_t num_sent = 0;
  while (num_sent < 1'000'000 && near_->TrySend(Abort{num_sent}).ok()) ++num_sent;
  EXPECT_GT(num_sent, 0u);
  EXPECT_LT(num_sent, 1'000'000u);
  for (uint64_t i = 0; i < num_sent; ++i) {
    const auto message = far_->Receive();
    ASSERT_TRUE(message.ok()) << message.status().ToString();
    EXPECT_EQ(std::get<Abort>(*message).request_id, i);
  }
  EXPECT_TRUE(near_->TrySend(Abort{num_sent}).ok()) << "there is room again";
}

TEST_F(ChannelTest, CallsACutFrameDataLoss) {
  const uint8_t half[] = {10, 0, 0, 0, 1, 2};
  ASSERT_EQ(send(near_->fd(), half, sizeof half, 0), ssize_t{sizeof half});
  near_.reset();
  EXPECT_EQ(far_->Receive().status().code(), StatusCode::kDataLoss);
}

TEST_F(ChannelTest, RefusesAFrameThatAnnouncesTooMuch) {
  const uint8_t header[] = {0xff, 0xff, 0xff, 0xff};
  ASSERT_EQ(send(near_->fd(), header, sizeof header, 0), ssize_t{sizeof header});
  EXPECT_EQ(far_->Receive().status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hearth::protocol
