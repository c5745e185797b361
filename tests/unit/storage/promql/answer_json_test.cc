#include "storage/promql/answer_json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "storage/promql/float_format.h"

namespace hearth::promql {
namespace {

std::string JsonFloat(double value) {
  std::string text;
  AppendJsonFloat(value, text);
  return text;
}

TEST(FloatFormat, IsGos) {
  EXPECT_EQ(FloatText(0.1), "0.1");
  EXPECT_EQ(FloatText(1e21), "1000000000000000000000");
  EXPECT_EQ(FloatText(123456789012345678901234567890.0), "123456789012345680000000000000");
  EXPECT_EQ(FloatText(-18014398509481984.0), "-18014398509481984");
  EXPECT_EQ(FloatText(1e300).size(), 301u);
  EXPECT_EQ(FloatText(-0.0), "-0");
  EXPECT_EQ(JsonFloat(1e21), "1e+21");
  EXPECT_EQ(JsonFloat(123456789), "123456789");
  EXPECT_EQ(JsonFloat(1.5e-7), "1.5e-07");
  EXPECT_EQ(JsonFloat(0.000001), "0.000001");
  EXPECT_EQ(JsonFloat(HUGE_VAL), "+Inf");
  EXPECT_EQ(JsonFloat(-HUGE_VAL), "-Inf");
  EXPECT_EQ(JsonFloat(std::nan("")), "NaN");
  EXPECT_EQ(FloatText(5e-324).size(), 326u);
}

TEST(AnswerJson, WritesPrometheusShapes) {
  Value value;
  value.type = ValueType::kVector;
  const std::vector<Labels::Pair> labels = {{"__name__", "up"}, {"job", "a\"b"}};
  value.series.push_back({Labels(labels), {{1435781451781, 1}}});
  std::string json;
  AppendJson(value, json);
  EXPECT_EQ(json,
            "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"job\":"
            "\"a\\\"b\"},\"value\":[1435781451.781,\"1\"]}]}");

  Matrix matrix;
  matrix.series.push_back({Labels(), {{1000, 0.5}, {2050, 1}}});
  json.clear();
  AppendJson(matrix, json);
  EXPECT_EQ(json,
            "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[[1,\"0.5\"],[2.050,"
            "\"1\"]]}]}");

  Value scalar;
  scalar.type = ValueType::kScalar;
  scalar.scalar = {1500, 2};
  json.clear();
  AppendJson(scalar, json);
  EXPECT_EQ(json, "{\"resultType\":\"scalar\",\"result\":[1.500,\"2\"]}");

  Value text;
  text.type = ValueType::kString;
  text.string = "hi";
  text.time_ms = 3000;
  json.clear();
  AppendJson(text, json);
  EXPECT_EQ(json, "{\"resultType\":\"string\",\"result\":[3,\"hi\"]}");
}

TEST(AnswerJson, WritesOnlyTheRemarksThereAre) {
  std::string json;
  AppendJson(Annotations{}, json);
  EXPECT_EQ(json, "");
  AppendJson(Annotations{{"w"}, {"i"}}, json);
  EXPECT_EQ(json, ",\"warnings\":[\"w\"],\"infos\":[\"i\"]");
}

}  // namespace
}  // namespace hearth::promql
