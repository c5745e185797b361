#include "firmware/remote_write/remote_writer.h"

#include <gtest/gtest.h>

#include <string>

namespace hearth::remote_write {
namespace {

RemoteWriteOptions To(const std::string& url) {
  RemoteWriteOptions options;
  options.url = url;
  return options;
}

TEST(RemoteWriteOptions, NamesWhatDoesNotFit) {
  EXPECT_TRUE(CheckOptions(To("https://prometheus/api/v1/write")).ok());
  EXPECT_FALSE(CheckOptions(To("prometheus:9090")).ok());
  RemoteWriteOptions options = To("http://p");
  options.username = "box";
  EXPECT_FALSE(CheckOptions(options).ok()) << "no password";
  options.password_file = "/run/secret";
  EXPECT_TRUE(CheckOptions(options).ok());
  options.bearer_token_file = "/run/token";
  EXPECT_FALSE(CheckOptions(options).ok()) << "two ways to log in";
  options = To("http://p");
  options.headers = {"X-Scope-OrgID: box"};
  EXPECT_TRUE(CheckOptions(options).ok());
  options.headers = {"X-Scope-OrgID"};
  EXPECT_FALSE(CheckOptions(options).ok());
  options.headers = {"A: b\r\nContent-Length: 0"};
  EXPECT_FALSE(CheckOptions(options).ok());
}

TEST(RemoteWriteOptions, LabelsAreNameAndValue) {
  const auto labels = ParseExternalLabels({"site=a=b", "instance="});
  ASSERT_TRUE(labels.ok());
  EXPECT_EQ(labels->pairs(), (std::vector<promql::Labels::Pair>{{"site", "a=b"}}));
  for (const char* wrong : {"site", "1st=x", "a-b=c", "=x", "__name__=x"}) {
    EXPECT_EQ(ParseExternalLabels({wrong}).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace hearth::remote_write
