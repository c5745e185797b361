#include "firmware/http/router.h"

#include <gtest/gtest.h>

namespace hearth::http {
namespace {

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    for (const auto& [method, pattern] :
         std::vector<std::pair<const char*, const char*>>{{"GET", "/"},
                                                          {"GET", "/v1/models"},
                                                          {"GET", "/v1/models/{*}"},
                                                          {"POST", "/v1/models"},
                                                          {"GET", "/v1/{}/list"},
                                                          {"GET", "/v1/models/list"},
                                                          {"POST", "/v1/models/{*}/load"},
                                                          {"DELETE", "/v1/{}/list"}}) {
      router_.Add({method, pattern, Scope::kPublic, [](const Request&, Response&) {}});
    }
  }

  std::string Pattern(std::string_view method, std::string_view path) {
    const auto match = router_.Find(method, path);
    return match.route == nullptr ? match.allow : match.route->pattern;
  }

  Router router_;
};

TEST_F(RouterTest, PrefersLiteralsToSegmentsToRests) {
  EXPECT_EQ(Pattern("GET", "/v1/models/list"), "/v1/models/list");
  EXPECT_EQ(Pattern("GET", "/v1/keys/list"), "/v1/{}/list");
  EXPECT_EQ(Pattern("GET", "/v1/models/other"), "/v1/models/{*}");
  EXPECT_EQ(Pattern("DELETE", "/v1/models/list"), "/v1/{}/list");
}

TEST_F(RouterTest, GivesWhatThePatternMatched) {
  EXPECT_EQ(router_.Find("GET", "/v1/models/org/name").parameters,
            std::vector<std::string>{"org/name"});
  EXPECT_EQ(router_.Find("GET", "/v1/keys/list").parameters, std::vector<std::string>{"keys"});
  EXPECT_TRUE(router_.Find("GET", "/v1/models").parameters.empty());
}

TEST_F(RouterTest, MatchesARestBetweenLiterals) {
  EXPECT_EQ(router_.Find("POST", "/v1/models/org/name/load").parameters,
            std::vector<std::string>{"org/name"});
  EXPECT_EQ(router_.Find("POST", "/v1/models/name/load").parameters,
            std::vector<std::string>{"name"});
  EXPECT_EQ(router_.Find("POST", "/v1/models/load/load").parameters,
            std::vector<std::string>{"load"});
  EXPECT_EQ(router_.Find("POST", "/v1/models/load").route, nullptr);
  EXPECT_EQ(router_.Find("POST", "/v1/models//load").route, nullptr);
  EXPECT_EQ(router_.Find("POST", "/v1/models/name/load/more").route, nullptr);
}

TEST_F(RouterTest, AnswersHeadWhereItAnswersGet) {
  EXPECT_EQ(Pattern("HEAD", "/"), "/");
  EXPECT_EQ(router_.Find("HEAD", "/v1/models").route->method, "GET");
}

TEST_F(RouterTest, TellsUnknownPathsFromWrongMethods) {
  EXPECT_EQ(Pattern("GET", "/v1"), "");
  EXPECT_EQ(Pattern("GET", "/v1/models/"), "");
  EXPECT_EQ(Pattern("GET", "/v1//list"), "");
  EXPECT_EQ(Pattern("GET", "//"), "");
  EXPECT_EQ(Pattern("PUT", "/v1/models"), "GET, HEAD, POST");
}

TEST_F(RouterTest, RefusesTheSameRouteTwice) {
  EXPECT_DEATH(router_.Add({"GET", "/v1/models", Scope::kInfer, [](const Request&, Response&) {}}),
               "/v1/models");
  EXPECT_DEATH(router_.Add({"GET", "no-slash", Scope::kInfer, [](const Request&, Response&) {}}),
               "no-slash");
  EXPECT_DEATH(router_.Add({"GET", "/{*}/x/{*}", Scope::kInfer, [](const Request&, Response&) {}}),
               "x");
}

}  // namespace
}  // namespace hearth::http
