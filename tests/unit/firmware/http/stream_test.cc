#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <thread>

#include "base/clock.h"
#include "firmware/http/sse.h"
#include "tests/unit/firmware/http/test_server.h"

namespace hearth::http {
namespace {

// What a handler waits for and a test gives.
class Gate {
 public:
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

constexpr std::string_view kStreamRequest = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";

using StreamTest = ServerTest;

TEST_F(StreamTest, SendsEachEventAsItComes) {
  Gate gate;
  AddRoute(
      "GET", "/stream",
      [&](const Request&, Response& response) {
        BeginEventStream(response);
        EXPECT_TRUE(SendEvent(response, R"({"n":1})"));
        gate.Wait();
        EXPECT_TRUE(SendEvent(response, R"({"n":2})"));
        EXPECT_TRUE(response.Write(""));
        EXPECT_TRUE(response.Write(kDoneEvent));
        response.EndStream();
      },
      /*streams=*/true);
  StartServer();
  RawClient client(port());
  client.Send(kStreamRequest);
  const std::string head = client.ReadUntil("\r\n\r\n");
  EXPECT_EQ(StatusOf(head), 200);
  EXPECT_TRUE(HasLine(head, "Content-Type: text/event-stream; charset=utf-8"));
  EXPECT_TRUE(HasLine(head, "Cache-Control: no-cache"));
  EXPECT_TRUE(HasLine(head, "X-Accel-Buffering: no"));
  EXPECT_TRUE(HasLine(head, "Transfer-Encoding: chunked"));
  EXPECT_EQ(client.ReadUntil("\n\n\r\n"), "f\r\ndata: {\"n\":1}\n\n\r\n");
  gate.Open();
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"),
            "f\r\ndata: {\"n\":2}\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
  client.Send(kStreamRequest);  // the connection goes on
  EXPECT_EQ(StatusOf(client.ReadUntil("0\r\n\r\n")), 200);
}

TEST_F(StreamTest, EndsWithTheConnectionForHttp10) {
  AddRoute(
      "GET", "/stream",
      [](const Request&, Response& response) {
        BeginEventStream(response);
        response.Write("data: 1\n\n");
      },
      /*streams=*/true);
  StartServer();
  RawClient client(port());
  client.Send("GET /stream HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(HasLine(answer, "Connection: close"));
  EXPECT_EQ(answer.find("Transfer-Encoding"), std::string::npos);
  EXPECT_EQ(BodyOf(answer), "data: 1\n\n");
}

TEST_F(StreamTest, BreaksOffVisiblyWhenTheHandlerThrows) {
  AddRoute(
      "GET", "/stream",
      [](const Request&, Response& response) {
        BeginEventStream(response);
        response.Write("data: 1\n\n");
        throw std::runtime_error("lost");
      },
      /*streams=*/true);
  StartServer();
  RawClient client(port());
  client.Send(kStreamRequest);
  const std::string answer = client.ReadAll();
  EXPECT_NE(answer.find("data: 1"), std::string::npos);
  EXPECT_EQ(answer.find("0\r\n\r\n"), std::string::npos)
      << "a truncated stream must not look complete";
}

TEST_F(StreamTest, IsRecordedToItsLastByte) {
  std::atomic<double> begin_s{0}, end_s{0};
  AddRoute(
      "GET", "/stream",
      [&](const Request&, Response& response) {
        begin_s = MonotonicSeconds();
        BeginEventStream(response);
        for (int i = 0; i < 100; ++i) response.Write("data: tick\n\n");
        response.EndStream();
        end_s = MonotonicSeconds();
      },
      /*streams=*/true);
  StartServer();
  RawClient client(port());
  client.Send(kStreamRequest);
  const size_t bytes = client.ReadUntil("\r\n0\r\n\r\n").size();
  const auto records = StopAndTakeRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].handler, "/stream");
  EXPECT_EQ(records[0].status, 200);
  EXPECT_EQ(records[0].response_bytes, bytes);
  EXPECT_GE(records[0].duration_s, end_s - begin_s);
}

TEST_F(StreamTest, NoticesThatTheClientLeftWithoutWriting) {
  std::latch waiting(1), noticed(1);
  AddRoute(
      "GET", "/stream",
      [&](const Request&, Response& response) {
        BeginEventStream(response);
        EXPECT_FALSE(response.ClientGone());
        waiting.count_down();
        while (!response.ClientGone()) std::this_thread::yield();
        noticed.count_down();
      },
      /*streams=*/true);
  StartServer();
  {
    RawClient client(port());
    client.Send(kStreamRequest);
    waiting.wait();
  }
  noticed.wait();
}

TEST_F(StreamTest, StopsWritingToAClientThatDoesNotRead) {
  std::latch gave_up(1);
  AddRoute(
      "GET", "/stream",
      [&](const Request&, Response& response) {
        BeginEventStream(response);
        const std::string event = Event(std::string(16 * 1024, 'x'));
        while (response.Write(event)) {
        }
        EXPECT_FALSE(response.Write("more"));
        EXPECT_TRUE(response.ClientGone());
        gave_up.count_down();
      },
      /*streams=*/true);
  StartServer({.write = {.stall_s = 0.3}});
  RawClient client(port(), /*receive_buffer_bytes=*/4096);
  client.Send(kStreamRequest);
  gave_up.wait();
  const auto records = StopAndTakeRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_LT(records[0].response_bytes, 2u << 20) << "the kernel's buffer is bounded";
}

TEST_F(StreamTest, Answers503WhenThePlacesAreTaken) {
  Gate gate;
  std::latch streaming(2);
  AddBasicRoutes();
  AddRoute(
      "GET", "/stream",
      [&](const Request&, Response& response) {
        BeginEventStream(response);
        streaming.count_down();
        gate.Wait();
      },
      /*streams=*/true);
  StartServer({.stream_threads = 2, .reserved_threads = 2});
  RawClient first(port()), second(port());
  first.Send(kStreamRequest);
  second.Send(kStreamRequest);
  streaming.wait();

  const std::string refused = Exchange(kStreamRequest);
  EXPECT_EQ(StatusOf(refused), 503);
  EXPECT_TRUE(HasLine(refused, "Retry-After: 1"));
  EXPECT_NE(BodyOf(refused).find("unavailable_error"), std::string::npos);
  EXPECT_EQ(StatusOf(Get("/ping")), 200) << "the reserve is there for others";

  gate.Open();
  EXPECT_NE(first.ReadUntil("0\r\n\r\n").find("200"), std::string::npos);
  EXPECT_NE(second.ReadUntil("0\r\n\r\n").find("200"), std::string::npos);
}

TEST_F(StreamTest, GivesThePlaceBack) {
  AddRoute(
      "GET", "/stream",
      [](const Request&, Response& response) {
        BeginEventStream(response);
        response.Write(kDoneEvent);
      },
      /*streams=*/true);
  AddRoute(
      "GET", "/throws", [](const Request&, Response&) { throw std::runtime_error("x"); },
      /*streams=*/true);
  StartServer({.stream_threads = 1, .reserved_threads = 2});
  // The place is free when the handler has returned, a moment after the stream's last byte;
  // requests on one connection come after that moment, and so does the close that ReadAll waits
  // for.
  RawClient client(port());
  for (int i = 0; i < 5; ++i) {
    client.Send(kStreamRequest);
    EXPECT_EQ(StatusOf(client.ReadUntil("0\r\n\r\n")), 200);
  }
  client.Send("GET /absent HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(StatusOf(client.ReadAnswer()), 404);
  for (int i = 0; i < 3; ++i) {
    RawClient thrower(port());
    thrower.Send("GET /throws HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(StatusOf(thrower.ReadAll()), 500);
  }
}

TEST_F(StreamTest, StopsWhileStreamsAreOpen) {
  std::latch streaming(1);
  AddRoute(
      "GET", "/stream",
      [&](const Request&, Response& response) {
        BeginEventStream(response);
        streaming.count_down();
        while (response.Write("data: tick\n\n")) std::this_thread::yield();
        EXPECT_TRUE(response.ClientGone());
      },
      /*streams=*/true);
  StartServer();
  RawClient client(port());
  client.Send(kStreamRequest);
  streaming.wait();
  std::thread reader([&] { client.ReadAll(); });
  EXPECT_FALSE(server_->Drain(std::chrono::milliseconds(10)));
  server_->Stop();
  reader.join();
}

TEST_F(StreamTest, LetsOthersPassWhileBodiesDribble) {
  AddBasicRoutes();
  StartServer(
      {.stream_threads = 4, .reserved_threads = 2, .body = {.base_s = 600, .grace_s = 600}});
  std::vector<std::unique_ptr<RawClient>> dribblers;
  for (int i = 0; i < 4; ++i) {
    dribblers.push_back(std::make_unique<RawClient>(port()));
    dribblers.back()->Send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        "Expect: 100-continue\r\n\r\n");
    dribblers.back()->ReadUntil("Continue\r\n\r\n");  // its body is now awaited
    dribblers.back()->Send("x");
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(StatusOf(Get("/ping")), 200);
  EXPECT_EQ(
      StatusOf(Exchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")),
      503);
}

TEST_F(StreamTest, Answers408ToABodyThatDoesNotCome) {
  AddBasicRoutes();
  StartServer({.body = {.grace_s = 0.2}});
  RawClient client(port());
  client.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx");
  EXPECT_EQ(StatusOf(client.ReadAnswer()), 408);
}

}  // namespace
}  // namespace hearth::http
