#include "firmware/http/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "base/json.h"
#include "firmware/http/negotiation.h"
#include "tests/unit/firmware/http/test_server.h"

namespace hearth::http {
namespace {

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  AddBasicRoutes();
  StartServer();
  RawClient client(port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send("GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const std::string answer = client.ReadAnswer();
    EXPECT_EQ(StatusOf(answer), 200);
    EXPECT_EQ(BodyOf(answer), "pong");
    EXPECT_TRUE(HasLine(answer, "Connection: keep-alive")) << answer;
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  AddBasicRoutes();
  StartServer();
  RawClient client(port());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nfirst"
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nsecond"
      "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(BodyOf(client.ReadAnswer()), "first");
  EXPECT_EQ(BodyOf(client.ReadAnswer()), "second");
  EXPECT_EQ(BodyOf(client.ReadAnswer()), "pong");
}

TEST_F(ServerTest, ClosesWhenTheClientAsks) {
  AddBasicRoutes();
  StartServer();
  RawClient client(port());
  client.Send("GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(HasLine(answer, "Connection: close")) << answer;
  EXPECT_EQ(BodyOf(answer), "pong");
}

TEST_F(ServerTest, PutsSecurityHeadersOnEveryAnswer) {
  AddBasicRoutes();
  StartServer();
  for (const std::string& answer :
       {Get("/ping"), Get("/absent"), Get("/boom"), Exchange("BROKEN\r\n\r\n")}) {
    EXPECT_TRUE(HasLine(answer, "X-Content-Type-Options: nosniff")) << answer;
    EXPECT_TRUE(HasLine(answer, "Referrer-Policy: no-referrer")) << answer;
    EXPECT_TRUE(HasLine(answer, "Cross-Origin-Opener-Policy: same-origin")) << answer;
    EXPECT_TRUE(HasLine(answer, "Cross-Origin-Resource-Policy: same-origin")) << answer;
    EXPECT_TRUE(HasLine(answer, "Cache-Control: no-store")) << answer;
    EXPECT_NE(answer.find("\r\nContent-Security-Policy: default-src 'none';"), std::string::npos)
        << answer;
  }
}

TEST_F(ServerTest, ReturnsASaneRequestIdAndReplacesOthers) {
  AddBasicRoutes();
  StartServer();
  EXPECT_TRUE(HasLine(Get("/ping", "x-request-id: bench-7_a.b\r\n"), "x-request-id: bench-7_a.b"));
  const std::string replaced = Get("/ping", "x-request-id: <script>\r\n");
  EXPECT_EQ(replaced.find("<script>"), std::string::npos);
  EXPECT_NE(replaced.find("\r\nx-request-id: "), std::string::npos);
}

TEST_F(ServerTest, Answers404And405AsJson) {
  AddBasicRoutes();
  StartServer();
  const std::string absent = Get("/absent");
  EXPECT_EQ(StatusOf(absent), 404);
  const auto error = ParseJson(BodyOf(absent));
  ASSERT_TRUE(error.ok()) << absent;
  EXPECT_EQ((*error)["error"]["type"], "not_found_error");
  EXPECT_EQ((*error)["error"]["code"], 404);
  EXPECT_TRUE((*error)["error"]["param"].is_null());

  const std::string wrong_method = Get("/echo");
  EXPECT_EQ(StatusOf(wrong_method), 405);
  EXPECT_TRUE(HasLine(wrong_method, "Allow: POST")) << wrong_method;
  EXPECT_TRUE(
      HasLine(Exchange("DELETE /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"), "Allow: GET, HEAD"));
}

TEST_F(ServerTest, AnswersHeadWithTheLengthAndNoBody) {
  AddBasicRoutes();
  StartServer();
  RawClient client(port());
  client.Send("HEAD /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_TRUE(HasLine(answer, "Content-Length: 4")) << answer;
  EXPECT_EQ(BodyOf(answer), "");
}

TEST_F(ServerTest, AnswersHeadWithTheHeadersOfGet) {
  AddRoute("GET", "/metrics", [](const Request& request, Response& response) {
    response.SetHeader("Vary", "Accept, Accept-Encoding");
    if (AcceptsGzip(request.Header("Accept-Encoding"))) {
      response.SetHeader("Content-Encoding", "gzip");
      return response.Send(200, "text/plain; version=0.0.4; charset=utf-8", "compressed");
    }
    response.Send(200, "text/plain; version=0.0.4; charset=utf-8", std::string(50'000, 'x'));
  });
  StartServer();
  const auto head_of = [&](std::string_view method, std::string_view coding) {
    const std::string answer = Exchange(std::string(method) + " /metrics HTTP/1.1\r\n" +
                                        "Host: localhost\r\nConnection: close\r\n" +
                                        "x-request-id: same\r\nAccept-Encoding: " +
                                        std::string(coding) + "\r\n\r\n");
    const size_t date = answer.find("Date: ");
    return answer.substr(0, answer.find("\r\n\r\n")).erase(date, answer.find('\r', date) - date);
  };
  for (const std::string_view coding : {"identity", "gzip"}) {
    const std::string head = head_of("HEAD", coding);
    EXPECT_EQ(head, head_of("GET", coding));
    EXPECT_TRUE(HasLine(head, "Vary: Accept, Accept-Encoding")) << head;
    EXPECT_EQ(HasLine(head, "Content-Encoding: gzip"), coding == "gzip") << head;
  }
}

TEST_F(ServerTest, TurnsAnExceptionInto500WithoutItsText) {
  AddBasicRoutes();
  AddRoute("GET", "/silent", [](const Request&, Response&) {});
  StartServer();
  const std::string answer = Get("/boom");
  EXPECT_EQ(StatusOf(answer), 500);
  EXPECT_EQ(answer.find("secret"), std::string::npos);
  EXPECT_EQ(StatusOf(Get("/silent")), 500);
  EXPECT_EQ(StatusOf(Get("/ping")), 200);
}

TEST_F(ServerTest, PassesPathParametersAndQuery) {
  AddRoute("GET", "/v1/models/{*}", [](const Request& request, Response& response) {
    response.Send(200, "text/plain",
                  request.path_parameters.at(0) + "|" + request.Parameter("q").value_or("-") + "|" +
                      std::string(request.Header("X-THING")));
  });
  StartServer();
  EXPECT_EQ(BodyOf(Get("/v1/models/org%2Fa/b?q=1%202+3", "x-thing:  v \r\n")), "org/a/b|1 2 3|v");
}

TEST_F(ServerTest, ReadsFormBodies) {
  AddRoute("POST", "/query", [](const Request& request, Response& response) {
    response.Send(200, "text/plain", request.Parameter("query").value_or("absent"));
  });
  StartServer();
  EXPECT_EQ(BodyOf(Exchange("POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n"
                            "Content-Type: application/x-www-form-urlencoded\r\n\r\nquery=up%2B1")),
            "up+1");
}

TEST_F(ServerTest, RunsWithTheSettingsThatMatter) {
  StartServer({.stream_threads = 5, .reserved_threads = 3});
  EXPECT_EQ(server_->Setting("num_threads"), "8");
  EXPECT_EQ(server_->Setting("connection_queue"), "16");
  EXPECT_EQ(server_->Setting("listen_backlog"), "1024");
  EXPECT_EQ(server_->Setting("tcp_nodelay"), "1");
  EXPECT_EQ(server_->Setting("enable_keep_alive"), "yes");
  EXPECT_EQ(server_->Setting("keep_alive_timeout_ms"), "5000");
  EXPECT_EQ(server_->Setting("request_timeout_ms"), "10000");
  EXPECT_EQ(server_->Setting("max_request_size"), "16384");
  EXPECT_EQ(server_->Setting("decode_url"), "no");
  EXPECT_EQ(server_->Setting("enable_directory_listing"), "no");
  EXPECT_EQ(server_->Setting("access_control_allow_origin"), "");
  EXPECT_EQ(server_->Setting("access_control_allow_methods"), "");
  EXPECT_EQ(server_->Setting("access_control_allow_headers"), "");
  EXPECT_EQ(server_->Setting("document_root"), "");
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
  StartServer();
  const auto second =
      Server::Start({.port = port(), .stream_threads = 1, .reserved_threads = 1}, {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(second.status().message().find(std::to_string(port())), std::string::npos);
  EXPECT_NE(second.status().message().find("in use"), std::string::npos)
      << second.status().message();
}

TEST_F(ServerTest, ObservesEveryAnswer) {
  AddBasicRoutes();
  StartServer();
  Get("/ping");
  Get("/absent");
  Exchange("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello");
  Exchange("GET /ping HTTP/1.1\r\n\r\n");
  Exchange("NONSENSE\r\n\r\n");
  auto records = StopAndTakeRecords();
  ASSERT_EQ(records.size(), 5u);
  // Told after the last byte, on each connection's own thread: in no order a client could rely on.
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::tie(a.status, a.handler) < std::tie(b.status, b.handler);
  });
  EXPECT_EQ(records[0].handler, "/echo");
  EXPECT_EQ(records[0].request_bytes, 5u);
  EXPECT_EQ(records[1].handler, "/ping");
  EXPECT_EQ(records[1].method, "GET");
  EXPECT_EQ(records[1].status, 200);
  EXPECT_GT(records[1].response_bytes, 4u);
  EXPECT_EQ(records[2].status, 400);
  EXPECT_EQ(records[3].status, 400);
  EXPECT_EQ(records[4].handler, "none");
  EXPECT_EQ(records[4].status, 404);
}

TEST_F(ServerTest, ObservesTheRequestIdThatTheClientSaw) {
  AddBasicRoutes();
  StartServer();
  Get("/ping", "x-request-id: mine\r\n");
  const std::string made_here = Get("/absent");
  const auto records = StopAndTakeRecords();
  ASSERT_EQ(records.size(), 2u);
  const bool in_order = records[0].status == 200;
  EXPECT_EQ(records[in_order ? 0 : 1].request_id, "mine");
  const std::string id = records[in_order ? 1 : 0].request_id;
  EXPECT_TRUE(HasLine(made_here, "x-request-id: " + id)) << id;
}

TEST_F(ServerTest, ObservesClientsThatLeaveBeforeTheirAnswer) {
  AddBasicRoutes();
  AddRoute("GET", "/slow", [](const Request&, Response& response) {
    while (!response.ClientGone()) std::this_thread::yield();
  });
  StartServer();
  {
    RawClient reader(port()), writer(port());
    reader.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    writer.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel");
    while (server_->ongoing_requests(Scope::kPublic) < 2) std::this_thread::yield();
  }
  while (server_->ongoing_requests(Scope::kPublic) > 0) std::this_thread::yield();
  auto records = StopAndTakeRecords();
  ASSERT_EQ(records.size(), 2u);
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return a.handler < b.handler; });
  EXPECT_EQ(records[0].handler, "/echo");
  EXPECT_EQ(records[0].request_bytes, 3u);
  EXPECT_EQ(records[1].handler, "/slow");
  for (const Answered& record : records) {
    EXPECT_EQ(record.status, kStatusClientLeft);
    EXPECT_EQ(record.response_bytes, 0u);
  }
}

TEST_F(ServerTest, CountsOngoingRequestsByScope) {
  std::atomic<bool> finish{false};
  std::latch inside(2);
  const Handler wait = [&](const Request&, Response& response) {
    inside.count_down();
    finish.wait(false);
    response.Send(204, "", "");
  };
  AddRoute("GET", "/v1/models", wait, false, Scope::kInfer);
  AddRoute("GET", "/metrics", wait, false, Scope::kMetrics);
  StartServer();
  std::thread infer([&] { Get("/v1/models"); });
  std::thread metrics([&] { Get("/metrics"); });
  inside.wait();
  EXPECT_EQ(server_->ongoing_requests(Scope::kInfer), 1);
  EXPECT_EQ(server_->ongoing_requests(Scope::kMetrics), 1);
  EXPECT_EQ(server_->ongoing_requests(Scope::kPublic), 0);
  finish = true;
  finish.notify_all();
  infer.join();
  metrics.join();
  EXPECT_TRUE(server_->Drain(std::chrono::seconds(10)));
  EXPECT_EQ(server_->ongoing_requests(Scope::kInfer), 0);
  EXPECT_EQ(server_->ongoing_requests(Scope::kMetrics), 0);
}

TEST_F(ServerTest, RefusesWorkButShowsThePageWhileDraining) {
  AddBasicRoutes();
  AddRoute(
      "GET", "/v1/models", [](const Request&, Response& response) { response.Send(200, "", ""); },
      false, Scope::kInfer);
  StartServer();
  EXPECT_EQ(StatusOf(Get("/v1/models")), 200);
  EXPECT_TRUE(server_->Drain(std::chrono::seconds(10)));
  const std::string refused = Get("/v1/models");
  EXPECT_EQ(StatusOf(refused), 503);
  EXPECT_TRUE(HasLine(refused, "Retry-After: 1"));
  EXPECT_EQ(StatusOf(Get("/ping")), 200);
}

}  // namespace
}  // namespace hearth::http
