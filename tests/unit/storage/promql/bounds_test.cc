// What keeps one query from taking the box: samples held, time, depth.
#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"
#include "tests/unit/storage/promql/list_source.h"

namespace hearth::promql {
namespace {

constexpr const char* kTooManySamples =
    "query processing would load too many samples into memory in query execution";
constexpr const char* kTimedOut = "query timed out in expression evaluation";

// `count` series of 1,000 samples a second apart.
ListSource ManySamples(int count) {
  ListSource source;
  for (int s = 0; s < count; ++s) {
    std::vector<Sample> samples;
    for (int i = 1; i <= 1000; ++i) samples.push_back({i * 1000, static_cast<double>(i % 17)});
    source.Add({{"__name__", "x"}, {"series", std::to_string(s)}}, samples);
  }
  return source;
}

TEST(QueryBounds, SamplesThatTheSourceGivesAreCounted) {
  const ListSource source = ManySamples(10);
  EvalOptions options;
  options.samples_max = 9'999;
  const auto refused = Instant(source, "count_over_time(x[1000s])", 1'000'000, options);
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.status().message(), kTooManySamples);
  options.samples_max = 11'000;
  EXPECT_TRUE(Instant(source, "count_over_time(x[1000s])", 1'000'000, options).ok());
}

TEST(QueryBounds, WhatIsNoLongerHeldDoesNotCount) {
  const ListSource source = ManySamples(10);
  EvalOptions options;
  options.samples_max = 40'000;
  std::string query = "sum(x)";
  for (int i = 0; i < 20; ++i) query += " + sum(x)";  // 200,000 samples one after another
  EXPECT_TRUE(Range(source, query, 1'000, 1'000'000, 1'000, options).ok());
}

TEST(QueryBounds, WhatAQueryMakesIsCounted) {
  const ListSource source = ManySamples(1);
  EvalOptions options;
  options.samples_max = 100'000;
  const auto subquery = Instant(source, "max_over_time(vector(1)[200000s:1s])", 1'000'000'000, options);
  EXPECT_EQ(subquery.status().message(), kTooManySamples);
  const auto join = Range(ManySamples(60), "x * on () group_left sum(x)", 1'000, 1'000'000, 1'000,
                          options);
  EXPECT_EQ(join.status().message(), kTooManySamples);
}

TEST(QueryBounds, AnEvaluationEndsWhenItsTimeIsOver) {
  const ListSource source = ManySamples(2);
  EvalOptions options;
  options.timeout_s = 0;
  for (const char* query : {"x", "rate(x[1m])", "sum(x)", "x + x", "vector(1)", "time()"}) {
    const auto value = Instant(source, query, 1'000'000, options);
    EXPECT_EQ(value.status().code(), StatusCode::kDeadlineExceeded) << query;
    EXPECT_EQ(value.status().message(), kTimedOut) << query;
  }
}

// Each takes many times its timeout when nothing stops it.
TEST(QueryBounds, ALongLoopLooksAtTheClock) {
  ListSource source;
  std::vector<Sample> samples;
  for (int i = 1; i <= 200'000; ++i) samples.push_back({i * 1000, static_cast<double>(i % 977)});
  source.Add({{"__name__", "x"}}, samples);
  EvalOptions options;
  options.timeout_s = 0.05;
  const auto long_windows =
      Range(source, "deriv(x[100000s])", 100'000'000, 200'000'000, 10'000, options);
  EXPECT_EQ(long_windows.status().message(), kTimedOut);
  ListSource wide;
  options.timeout_s = 0.005;
  for (int s = 0; s < 600; ++s) {
    wide.Add({{"__name__", "x"}, {"series", std::to_string(s)}}, {{1'000'000, 1.0 * s}});
  }
  const auto topk = Range(wide, "topk(300, x)", 1'000'000, 1'290'000, 30, options);
  EXPECT_EQ(topk.status().message(), kTimedOut);
  const auto join = Range(wide, "x + x", 1'000'000, 1'290'000, 30, options);
  EXPECT_EQ(join.status().message(), kTimedOut);
}

TEST(QueryBounds, DeepExpressionsAreErrorsAndNoOverflow) {
  for (const std::string& open : {std::string("("), std::string("-"), std::string("abs("),
                                  std::string("sum("), std::string("1 ^ "), std::string("x[5m:] + (")}) {
    std::string deep;
    for (int i = 0; i < 50'000; ++i) deep += open;
    const auto expr = Parse(deep);
    EXPECT_EQ(expr.status().code(), StatusCode::kInvalidArgument) << open;
  }
  std::string chain = "1";
  for (int i = 0; i < 50'000; ++i) chain += " + 1";
  EXPECT_NE(Parse(chain).status().message().find("nests deeper than"), std::string::npos);
}

TEST(QueryBounds, TheDeepestExpressionIsEvaluated) {
  std::string query(static_cast<size_t>(kExprDepthMax) - 1, '(');
  query += "1" + std::string(query.size(), ')');
  const auto value = Instant(ManySamples(1), query, 0);
  ASSERT_TRUE(value.ok()) << value.status().message();
  EXPECT_EQ(value->scalar.value, 1);
}

TEST(QueryBounds, StatsTellWhatAQueryCost) {
  const ListSource source = ManySamples(3);
  const auto matrix = Range(source, "sum_over_time(x[10s])", 10'000, 1'000'000, 1'000);
  ASSERT_TRUE(matrix.ok());
  EXPECT_EQ(matrix->stats.samples_read, 3'000);
  EXPECT_EQ(matrix->stats.samples_queryable, 3 * 10 * 991);
  EXPECT_GE(matrix->stats.samples_peak, 3'000 + 3 * 991);
  EXPECT_GE(matrix->stats.total_s, matrix->stats.select_s);
}

}  // namespace
}  // namespace hearth::promql
