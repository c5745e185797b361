// What a transfer refuses before it asks anybody; what it does with a hub is tests/e2e/pull_matrix_test.mjs.
#include "firmware/library/transfer.h"

#include <gtest/gtest.h>

namespace hearth::library {
namespace {

Status Get(const HubAccess& access, const std::string& url, bool stopped = false) {
  Transfer transfer(&access, [=] { return stopped; });
  return transfer
      .Get(url, std::nullopt, [](const TransferReply&, std::string_view) { return Status::Ok(); })
      .status();
}

TEST(Transfer, EndpointsAreUrlsOfHosts) {
  for (const char* url : {"https://huggingface.co", "http://127.0.0.1:8000", "https://mirror.example/hf/"}) {
    EXPECT_TRUE(CheckEndpoint(url).ok()) << url;
  }
  for (const char* url : {"", "huggingface.co", "ftp://x", "file:///etc/passwd", "https://", "https://u:p@host"}) {
    EXPECT_FALSE(CheckEndpoint(url).ok()) << url;
  }
}

TEST(Transfer, AsksOnlyTheHubAndItsHosts) {
  const HubAccess access{.endpoint = "http://127.0.0.1:1", .token = "hf_secret", .allowed_hosts = {"hf.co", "127.0.0.1"}};
  for (const char* url : {"http://127.0.0.1:2/x", "http://hf.co/x"}) {
    const Status refused = Get(access, url);
    EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("neither https nor the hub"), std::string::npos) << refused.message();
  }
  for (const char* url : {"https://evilhf.co/x", "https://hf.co.evil.example/x", "https://example.org/x"}) {
    const Status refused = Get(access, url);
    EXPECT_NE(refused.message().find("not among hub.allowed_hosts"), std::string::npos) << refused.message();
  }
  const Status near = Get(access, "https://127.0.0.1/x");
  EXPECT_NE(near.message().find("not a public one"), std::string::npos) << near.message();
  EXPECT_EQ(near.message().find("hf_secret"), std::string::npos);
  // The hub itself may be near; nobody listens there.
  EXPECT_EQ(Get(access, "http://127.0.0.1:1/x").code(), StatusCode::kUnavailable);
}

TEST(Transfer, ThePublicHubMustHaveAPublicAddress) {
  const HubAccess access{.endpoint = kDefaultEndpoint, .token = "", .allowed_hosts = {}};
  EXPECT_EQ(Get(access, "https://127.0.0.1/x").code(), StatusCode::kInvalidArgument);
}

TEST(Transfer, StopsWhenAsked) {
  const HubAccess access{.endpoint = "http://127.0.0.1:1", .token = "", .allowed_hosts = {}};
  EXPECT_EQ(Get(access, "http://127.0.0.1:1/x", /*stopped=*/true).code(), StatusCode::kAborted);
}

}  // namespace
}  // namespace hearth::library
