#include "firmware/http/gates.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace hearth::http {
namespace {

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

RequestHead Head(std::string_view method, Headers headers = {{"Host", "localhost"}}) {
  RequestHead head;
  head.method = method;
  head.target = "/";
  head.version = "1.1";
  head.headers = std::move(headers);
  return head;
}

// 0 when the head passes.
int StatusOfHead(const RequestHead& head) {
  const auto refusal = CheckHead(head);
  return refusal ? refusal->status : 0;
}

int StatusWith(Headers headers) {
  headers.insert(headers.begin(), {"Host", "localhost"});
  return StatusOfHead(Head("POST", std::move(headers)));
}

TEST(CheckHead, TakesOrdinaryRequests) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    EXPECT_EQ(StatusOfHead(Head(method)), 0) << method;
  }
  EXPECT_EQ(StatusWith({{"Content-Length", "0"}}), 0);
  EXPECT_EQ(StatusWith({{"Content-Length", " 12 "}}), 0);
  EXPECT_EQ(StatusWith({{"Transfer-Encoding", "Chunked"}}), 0);
  EXPECT_EQ(StatusWith({{"Content-Encoding", "identity"}}), 0);
}

TEST(CheckHead, Refuses405ForMethodsNobodyServes) {
  for (const char* method : {"TRACE", "CONNECT", "PROPFIND", "get", "", "GET, HEAD"}) {
    const auto refusal = CheckHead(Head(method));
    ASSERT_TRUE(refusal) << method;
    EXPECT_EQ(refusal->status, 405) << method;
    EXPECT_EQ(refusal->allow, kMethods);
  }
}

TEST(CheckHead, RefusesBodiesWhoseEndIsDisputed) {
  EXPECT_EQ(StatusWith({{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}), 400);
  EXPECT_EQ(StatusWith({{"Content-Length", "5"}, {"Content-Length", "5"}}), 400);
  EXPECT_EQ(StatusWith({{"content-length", "5"}, {"CONTENT-LENGTH", "6"}}), 400);
  for (const char* length :
       {"", "-1", "+5", "5 5", "5,5", "0x10", "1e3", "9999999999999999999", "five"}) {
    EXPECT_EQ(StatusWith({{"Content-Length", length}}), 400) << length;
  }
  EXPECT_EQ(StatusWith({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}), 400);
  for (const char* coding :
       {"identity", "gzip", "gzip, chunked", "chunked, chunked", "xchunked", ""}) {
    EXPECT_EQ(StatusWith({{"Transfer-Encoding", coding}}), 400) << coding;
  }
  RequestHead old = Head("POST", {{"Host", "localhost"}, {"Transfer-Encoding", "chunked"}});
  old.version = "1.0";
  EXPECT_EQ(StatusOfHead(old), 400);
}

TEST(CheckHead, Refuses415ForCompressedBodies) {
  EXPECT_EQ(StatusWith({{"Content-Encoding", "gzip"}}), 415);
  EXPECT_EQ(StatusWith({{"Content-Encoding", "identity"}, {"Content-Encoding", "br"}}), 415);
}

TEST(CheckHead, Refuses414ForALongUri) {
  const std::string path = "/" + std::string(limits::kUriBytesMax - 1, 'a');
  RequestHead head = Head("GET");
  head.target = path;
  EXPECT_EQ(StatusOfHead(head), 0);
  head.query = "q";
  EXPECT_EQ(StatusOfHead(head), 414);
}

TEST(CheckHead, Refuses431ForManyHeaders) {
  RequestHead head = Head("GET", Headers(limits::kHeadersMax, {"X", "y"}));
  EXPECT_EQ(StatusOfHead(head), 0);
  head.unparsed = "One: more\r\n\r\n";
  EXPECT_EQ(StatusOfHead(head), 431);
}

TEST(CheckHead, RefusesLinesThatTwoServersReadDifferently) {
  RequestHead folded = Head("GET");
  folded.unparsed = " folded\r\n";
  EXPECT_EQ(StatusOfHead(folded), 400);
  RequestHead bare = Head("GET");
  bare.bare_line_feed = true;
  EXPECT_EQ(StatusOfHead(bare), 400);
  RequestHead space = Head("GET");
  space.space_before_colon = true;
  EXPECT_EQ(StatusOfHead(space), 400);
  EXPECT_EQ(StatusWith({{"X", "a\x01z"}}), 400);
}

TEST(FramingOf, TellsHowTheBodyEnds) {
  EXPECT_EQ(FramingOf(Head("GET")).content_length, std::nullopt);
  EXPECT_FALSE(FramingOf(Head("GET")).chunked);
  EXPECT_EQ(FramingOf(Head("POST", {{"Content-Length", "17"}})).content_length, 17u);
  EXPECT_TRUE(FramingOf(Head("POST", {{"Transfer-Encoding", "chunked"}})).chunked);
}

TEST(ParseTarget, DecodesThePath) {
  Target target;
  EXPECT_FALSE(ParseTarget("/v1/models/a%20b%C3%A9", target));
  EXPECT_EQ(target.path, "/v1/models/a b\xC3\xA9");
  EXPECT_FALSE(ParseTarget("HTTP://Box:80/x", target));
  EXPECT_EQ(target.path, "/x");
  EXPECT_EQ(target.authority, "Box:80");
}

TEST(ParseTarget, RefusesPathsThatHideSomething) {
  for (const char* path :
       {"", "*", "x", "/%00", "/small%00x", "/a%0ab", "/%7f", "/%", "/%4", "/%zz", "/..", "/a/../b",
        "/a/%2e%2e/b", "/a%2f..%2fb", "/./a", "/a/.", "http://host"}) {
    Target target;
    const auto refusal = ParseTarget(path, target);
    ASSERT_TRUE(refusal) << path;
    EXPECT_EQ(refusal->status, 400) << path;
  }
  Target target;
  EXPECT_FALSE(ParseTarget("/..a/b../...", target));
}

int StatusOfHost(Headers headers, std::string authority = "") {
  const std::vector<std::string> own = {"localhost", "box", "box.local"};
  Target target;
  target.authority = std::move(authority);
  const auto refusal = CheckHost(Head("GET", std::move(headers)), target, own, "192.168.1.5");
  return refusal ? refusal->status : 0;
}

TEST(CheckHost, TakesOnlyOwnNames) {
  for (const char* host :
       {"localhost", "LOCALHOST:8080", "box.local", "192.168.1.5", "192.168.1.5:80", "box:"}) {
    EXPECT_EQ(StatusOfHost({{"host", host}}), 0) << host;
  }
  for (const char* host :
       {"evil.example", "localhost.evil.example", "192.168.1.6", "127.0.0.1", "", ":80",
        "localhost:port", "localhost:80:80", "[localhost", "box@evil.example", "box/"}) {
    EXPECT_EQ(StatusOfHost({{"Host", host}}), 421) << host;
  }
  EXPECT_EQ(StatusOfHost({}), 400);
  EXPECT_EQ(StatusOfHost({{"Host", "box"}, {"Host", "box"}}), 400);
  EXPECT_EQ(StatusOfHost({{"Host", "box"}}, "box:80"), 0);
  EXPECT_EQ(StatusOfHost({{"Host", "box"}}, "evil.example"), 421);
}

TEST(CheckHost, ReadsIpv6Literals) {
  EXPECT_EQ(HostName("[::1]:8080"), "::1");
  EXPECT_EQ(HostName("[FE80::1]"), "fe80::1");
  EXPECT_EQ(HostName("[::1"), "");
  EXPECT_EQ(HostName("[::1]x"), "");
}

TEST(CheckOrigin, KeepsPagesOfOtherOriginsFromChangingThings) {
  const auto status = [](std::string_view method, std::string_view origin) {
    const auto refusal = CheckOrigin(Head(method, {{"Host", "box:8080"}, {"Origin", origin}}));
    return refusal ? refusal->status : 0;
  };
  EXPECT_FALSE(CheckOrigin(Head("POST", {{"Host", "box"}})));
  EXPECT_EQ(status("POST", "http://box:8080"), 0);
  EXPECT_EQ(status("GET", "http://evil.example"), 0);
  EXPECT_EQ(status("POST", "http://evil.example"), 403);
  EXPECT_EQ(status("POST", "http://box"), 403);
  EXPECT_EQ(status("DELETE", "null"), 403);
}

TEST(IsSaneRequestId, RefusesWhatCouldBreakALogLine) {
  EXPECT_TRUE(IsSaneRequestId("bench-0_1.Z"));
  EXPECT_TRUE(IsSaneRequestId(std::string(128, 'x')));
  EXPECT_FALSE(IsSaneRequestId(std::string(129, 'x')));
  for (const char* id : {"", "a b", "a\nb", "\"", "<b>", "\xC3\xA9"})
    EXPECT_FALSE(IsSaneRequestId(id)) << id;
}

}  // namespace
}  // namespace hearth::http
