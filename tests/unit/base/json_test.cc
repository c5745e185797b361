#include "base/json.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"

namespace hearth {
namespace {

std::string Nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
}

TEST(Json, AcceptsDepthAtTheLimitAndRefusesOneMore) {
  EXPECT_TRUE(ParseJson(Nested(limits::kJsonDepthMax)).ok());
  const auto refused = ParseJson(Nested(limits::kJsonDepthMax + 1));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("64"), std::string::npos) << refused.status().message();
}

TEST(Json, SurvivesAHundredThousandBrackets) {
  EXPECT_FALSE(ParseJson(Nested(100'000)).ok());
  EXPECT_FALSE(ParseJson(std::string(100'000, '[')).ok());
}

std::string ObjectWithKeys(int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":{\"a\":1,\"b\":[2]}";
  }
  return text + "}";
}

TEST(Json, RefusesAnObjectWithTooManyKeys) {
  EXPECT_TRUE(ParseJson(ObjectWithKeys(limits::kJsonKeysMax)).ok());
  const auto refused = ParseJson(ObjectWithKeys(limits::kJsonKeysMax + 1));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("16384 keys"), std::string::npos)
      << refused.status().message();
  EXPECT_TRUE(ParseLargeJson(ObjectWithKeys(limits::kJsonKeysMax + 1)).ok());
}

TEST(Json, NamesThePositionOfBrokenText) {
  const auto broken = ParseJson("{\"a\": 1,}");
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(broken.status().message().find("column 9"), std::string::npos)
      << broken.status().message();
}

TEST(Json, KeepsTheOrderOfKeys) {
  EXPECT_EQ(DumpJson(*ParseJson(R"({"z":1,"a":2})")), R"({"z":1,"a":2})");
}

TEST(Json, ReplacesInvalidUtf8WhenPrinting) {
  EXPECT_EQ(DumpJson(Json("a\xff")), "\"a\xEF\xBF\xBD\"");
}

TEST(Cbor, RoundTripsAndRefusesRubbish) {
  const Json value = *ParseJson(R"({"a":[1,2.5,"x",null,true]})");
  EXPECT_EQ(*ParseCbor(DumpCbor(value)), value);
  const std::vector<uint8_t> rubbish = {0xff, 0x00, 0x13};
  EXPECT_FALSE(ParseCbor(rubbish).ok());
}

}  // namespace
}  // namespace hearth
