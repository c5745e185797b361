// Requests that CivetWeb itself would take, or refuse with another status, against the whole
// server.

#include <gtest/gtest.h>

#include "base/limits.h"
#include "tests/unit/firmware/http/test_server.h"

namespace hearth::http {
namespace {

using namespace std::string_view_literals;

class ProbeTest : public ServerTest {
 protected:
  void SetUp() override {
    AddBasicRoutes();
    StartServer();
  }

  // The status of the answer, and the server must close the connection after it.
  int Refused(std::string_view request) {
    RawClient client(port());
    client.Send(request);
    const std::string answer = client.ReadAll();
    if (answer.find("HTTP/1.1 ", 1) != std::string::npos)
      ADD_FAILURE() << "two answers to: " << request;
    if (!HasLine(answer, "Connection: close"))
      ADD_FAILURE() << "kept alive after: " << request << answer;
    return StatusOf(answer);
  }
};

TEST_F(ProbeTest, RefusesBodiesWhoseEndIsDisputed) {
  constexpr std::string_view kPost = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";
  const auto refused = [&](std::string_view rest) {
    return Refused(std::string(kPost) + std::string(rest));
  };
  EXPECT_EQ(refused("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /ping "
                    "HTTP/1.1\r\n\r\n"),
            400);
  EXPECT_EQ(refused("Content-Length: 4\r\nContent-Length: 5\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Content-Length: -5\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Content-Length: 5x\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Content-Length: \r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Content-Length: five\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Transfer-Encoding: gzip\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Transfer-Encoding: chunked\r\n\r\nzz\r\nhello"), 400);
  EXPECT_EQ(refused("Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\nhello"), 400);
  EXPECT_EQ(refused("Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"), 415);
}

TEST_F(ProbeTest, RefusesHostsThatAreNotThisBox) {
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421);
  EXPECT_EQ(Refused("POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
                    "Content-Length: 1\r\n\r\nx"),
            403);
  EXPECT_EQ(StatusOf(Exchange("GET /ping HTTP/1.1\r\nHost: 127.0.0.1:99\r\n\r\n")), 200);
  const std::string absolute = "http://evil.example:" + std::to_string(port()) + "/ping";
  EXPECT_EQ(Refused("GET " + absolute + " HTTP/1.1\r\nHost: localhost\r\n\r\n"), 421);
}

TEST_F(ProbeTest, RefusesPathsThatHideSomething) {
  for (const char* path :
       {"/ping%00x", "/ping%0d%0a", "/a/%2e%2e/ping", "/a/../ping", "/%", "/%zz"}) {
    EXPECT_EQ(Refused("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400)
        << path;
  }
}

TEST_F(ProbeTest, RefusesLinesThatTwoServersReadDifferently) {
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\r\nX: a\r\n\tfolded\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost : localhost\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\nX: a\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\nHost: localhost\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\n\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\r\n: no name\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: local\0host\r\n\r\n"sv), 400);
  EXPECT_EQ(Refused("\r\n\r\nGET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping\r\n\r\n"), 400);
  EXPECT_EQ(Refused("GET /ping HTTP/2.0\r\nHost: localhost\r\n\r\n"), 505);
}

TEST_F(ProbeTest, RefusesUnknownMethods) {
  for (const char* method : {"BREW", "TRACE", "CONNECT", "PROPFIND", "get"}) {
    const std::string request = std::string(method) + " /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
    EXPECT_EQ(Refused(request), 405) << method;
    EXPECT_TRUE(HasLine(Exchange(request), "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        << method;
  }
}

TEST_F(ProbeTest, AnswersPreflightsOfOtherOriginsWithoutCors) {
  const std::string answer = Exchange(
      "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  EXPECT_EQ(StatusOf(answer), 405);
  EXPECT_EQ(answer.find("Access-Control-"), std::string::npos) << answer;
}

TEST_F(ProbeTest, BoundsTheHead) {
  std::string headers;
  for (int i = 0; i < limits::kHeadersMax - 1; ++i) headers += "X: y\r\n";
  EXPECT_EQ(StatusOf(Get("/ping", headers)), 200);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\r\n" + headers + "X: y\r\n\r\n"), 431);
  EXPECT_EQ(Refused("GET /ping HTTP/1.1\r\nHost: localhost\r\nX: " +
                    std::string(limits::kHeaderBytesMax, 'x') + "\r\n\r\n"),
            431);
  EXPECT_EQ(Refused("GET /" + std::string(limits::kUriBytesMax, 'x') +
                    " HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            414);
}

TEST_F(ProbeTest, BoundsTheBody) {
  const size_t bytes = limits::kBodyBytesMax + 1;
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(bytes) +
      "\r\n\r\n";
  RawClient client(port());
  client.Send(head);
  const std::string answer = client.ReadAnswer();
  EXPECT_EQ(StatusOf(answer), 413);
  EXPECT_NE(answer.find(std::to_string(bytes)), std::string::npos);
  EXPECT_NE(answer.find(std::to_string(limits::kBodyBytesMax)), std::string::npos);

  // A client that writes all of it before it reads must see the answer too, not a reset.
  RawClient stubborn(port());
  stubborn.Send(head);
  stubborn.Send(std::string(bytes, 'x'));
  EXPECT_EQ(StatusOf(stubborn.ReadAll()), 413);
}

TEST_F(ProbeTest, TakesTheLargestBodyAndGoesOn) {
  const std::string body(limits::kBodyBytesMax, 'b');
  RawClient client(port());
  client.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n");
  client.Send(body);
  const std::string answer = client.ReadAnswer();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_TRUE(BodyOf(answer) == body);
  client.Send("GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(StatusOf(client.ReadAnswer()), 200);
}

TEST_F(ProbeTest, TakesChunkedBodiesAndThenCloses) {
  RawClient client(port());
  client.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.Send("5\r\nhello\r\n");
  client.Send("0\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_EQ(BodyOf(answer), "hello");
  EXPECT_TRUE(HasLine(answer, "Connection: close"));
}

TEST_F(ProbeTest, GivesLeaveToClientsThatAskBeforeTheBody) {
  RawClient client(port());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hello");
  EXPECT_EQ(BodyOf(client.ReadAnswer()), "hello");
}

TEST_F(ProbeTest, SurvivesClientsThatLeaveEarly) {
  for (const char* piece : {"", "G", "GET /ping HTTP/1.1\r\nHost",
                            "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Length: 100\r\n\r\nhalf"}) {
    RawClient client(port());
    client.Send(piece);
  }
  EXPECT_EQ(StatusOf(Get("/ping")), 200);
}

}  // namespace
}  // namespace hearth::http
