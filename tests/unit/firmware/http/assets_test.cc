#include "webui/assets.h"

#include <gtest/gtest.h>

#include "firmware/http/assets_handler.h"
#include "tests/unit/firmware/http/test_server.h"

namespace hearth::http {
namespace {

// The library that draws every chart is in each build, whatever else the page has.
constexpr std::string_view kChartJs = "/vendor/chart.umd.js";

class AssetsTest : public ServerTest {
 protected:
  void SetUp() override {
    for (Route& route : AssetRoutes()) router_.Add(std::move(route));
    StartServer();
  }
};

TEST_F(AssetsTest, ServesEveryFileInBothCodings) {
  ASSERT_FALSE(AllAssets().empty());
  for (const Asset& asset : AllAssets()) {
    const std::string plain = Get(asset.path);
    EXPECT_EQ(StatusOf(plain), 200) << asset.path;
    EXPECT_EQ(BodyOf(plain).size(), asset.size) << asset.path;
    EXPECT_EQ(plain.find("Content-Encoding"), std::string::npos) << asset.path;
    const std::string compressed = Get(asset.path, "Accept-Encoding: gzip, br\r\n");
    EXPECT_TRUE(HasLine(compressed, "Content-Encoding: gzip")) << asset.path;
    EXPECT_EQ(BodyOf(compressed).size(), asset.gzip.size()) << asset.path;
    EXPECT_TRUE(BodyOf(compressed).starts_with("\x1f\x8b")) << asset.path;
  }
}

TEST_F(AssetsTest, GivesPagesAddressesForPeople) {
  const std::string dashboard = BodyOf(Get("/index.html"));
  for (const char* address : {"/", "/d/hearthLlm", "/d/hearthLlm/llm"}) {
    EXPECT_EQ(BodyOf(Get(address)), dashboard) << address;
  }
  EXPECT_EQ(BodyOf(Get("/chat")), BodyOf(Get("/chat.html")));
  EXPECT_EQ(StatusOf(Get("/d")), 404);
  EXPECT_EQ(StatusOf(Get("/index")), 404);
}

TEST_F(AssetsTest, InflatesToTheFile) {
  const std::string script = BodyOf(Get(kChartJs));
  EXPECT_NE(script.find("Chart.js v4"), std::string::npos);
}

TEST_F(AssetsTest, Answers304ToTheKnownVersion) {
  const Asset* const asset = FindAsset(kChartJs);
  ASSERT_NE(asset, nullptr);
  const std::string first = Get(kChartJs);
  EXPECT_TRUE(HasLine(first, "ETag: W/" + std::string(asset->etag)));
  EXPECT_TRUE(HasLine(first, "Cache-Control: no-cache"));
  EXPECT_TRUE(HasLine(first, "Content-Type: text/javascript; charset=utf-8"));

  RawClient client(port());
  for (const std::string& tag :
       {std::string(asset->etag), "W/" + std::string(asset->etag), std::string("*")}) {
    client.Send("GET " + std::string(kChartJs) +
                " HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: " + tag + "\r\n\r\n");
    const std::string answer =
        client.ReadUntil("\r\n\r\n");  // and no body: the next answer follows at once
    EXPECT_EQ(StatusOf(answer), 304) << tag;
    EXPECT_EQ(answer.find("Content-Length"), std::string::npos);
  }
  EXPECT_EQ(StatusOf(Get(kChartJs, "If-None-Match: \"0123456789abcdef\"\r\n")), 200);
}

TEST_F(AssetsTest, FindsByExactPathOnly) {
  EXPECT_EQ(FindAsset("/vendor/chart.umd"), nullptr);
  EXPECT_EQ(FindAsset(""), nullptr);
  EXPECT_EQ(StatusOf(Get("/vendor/")), 404);
  EXPECT_EQ(StatusOf(Get("/node_modules/chart.js/package.json")), 404);
  if (FindAsset("/index.html") != nullptr) {
    EXPECT_EQ(BodyOf(Get("/")), BodyOf(Get("/index.html")));
  }
}

}  // namespace
}  // namespace hearth::http
