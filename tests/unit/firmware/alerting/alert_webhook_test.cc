#include "firmware/alerting/alert_webhook.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

namespace hearth {
namespace {

// Answers each connection with the next of `answers`; an empty one leaves the peer waiting.
class Receiver {
 public:
  Receiver() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Receiver() { ::close(socket_); }

  // Takes one request and answers it with this status; what it said.
  std::string Answer(const std::string& status) const {
    const int peer = ::accept(socket_, nullptr, nullptr);
    std::string said;
    char buffer[4096];
    while (said.find("]") == std::string::npos) {
      const ssize_t got = ::read(peer, buffer, sizeof buffer);
      if (got <= 0) break;
      said.append(buffer, static_cast<size_t>(got));
    }
    const std::string answer = "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(::write(peer, answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
    ::close(peer);
    return said;
  }

  const std::string& url() const { return url_; }

 private:
  const int socket_;
  std::string url_;
};

AlertWebhookOptions Quick(const std::string& url) {
  AlertWebhookOptions options;
  options.url = url;
  options.pause_first_s = 0.001;
  options.attempts_max = 3;
  return options;
}

void WaitUntil(const std::function<bool()>& done) {
  while (!done()) std::this_thread::yield();
}

TEST(AlertWebhook, PostsJsonToTheApisPath) {
  const Receiver receiver;
  AlertWebhook webhook(Quick(receiver.url() + "/"));
  webhook.Send("[1]", 1);
  const std::string said = receiver.Answer("200 OK");
  EXPECT_TRUE(said.starts_with("POST /api/v2/alerts HTTP/1.1\r\n")) << said;
  EXPECT_NE(said.find("Content-Type: application/json"), std::string::npos);
  EXPECT_TRUE(said.ends_with("\r\n\r\n[1]"));
  WaitUntil([&] { return webhook.sent() == 1; });
}

TEST(AlertWebhook, TriesAgainAfterAServersError) {
  const Receiver receiver;
  AlertWebhook webhook(Quick(receiver.url()));
  webhook.Send("[1,2]", 2);
  receiver.Answer("503 Busy");
  receiver.Answer("200 OK");
  WaitUntil([&] { return webhook.sent() == 2; });
  EXPECT_EQ(webhook.failed(), 0);
}

TEST(AlertWebhook, GivesUpWhatIsRefused) {
  const Receiver receiver;
  AlertWebhook webhook(Quick(receiver.url()));
  webhook.Send("[1]", 1);
  receiver.Answer("400 Bad Request");
  WaitUntil([&] { return webhook.failed() == 1; });
  webhook.Send("[2]", 1);
  EXPECT_TRUE(receiver.Answer("200 OK").ends_with("[2]"));
}

TEST(AlertWebhook, AHungReceiverHoldsNobodyUp) {
  const Receiver receiver;  // accepts in the kernel, never answers
  AlertWebhookOptions options = Quick(receiver.url());
  options.waiting_max = 4;
  options.attempt_timeout_s = 3600;
  AlertWebhook webhook(options);
  for (int i = 0; i < 100; ++i) webhook.Send("[1]", 1);
  // One may be under way, four wait, the others were given up.
  EXPECT_GE(webhook.failed(), 95);
}  // and the destructor breaks the attempt off

TEST(AlertWebhook, ChecksTheUrl) {
  EXPECT_TRUE(AlertWebhook::CheckUrl("https://alerts.example:9093").ok());
  EXPECT_EQ(AlertWebhook::CheckUrl("file:///etc/passwd").message(),
            "the webhook 'file:///etc/passwd' is no URL; write http://host:9093");
}

}  // namespace
}  // namespace hearth
