// A range query finds windows once and slides over them; an instant query looks at one window. Both
// must give the same at every step.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "storage/promql/evaluator.h"
#include "storage/promql/parser.h"
#include "tests/unit/storage/promql/list_source.h"

namespace hearth::promql {
namespace {

constexpr int64_t kStartMs = 1'000'000'000;

// Gaps, resets, stale markers, constant stretches, and numbers that are none.
ListSource RandomSeries(uint64_t seed) {
  std::mt19937_64 random(seed);
  ListSource source;
  for (int s = 0; s < 3; ++s) {
    std::vector<Sample> samples;
    int64_t time_ms = kStartMs - 2'000'000 + s * 777;
    double counter = 0;
    while (time_ms < kStartMs + 4'000'000) {
      const uint64_t dice = random() % 100;
      time_ms += dice < 90 ? 10'000 : dice < 95 ? 9'317 : 10'000 * static_cast<int64_t>(random() % 60);
      counter += static_cast<double>(random() % 1000) / 7;
      double value = counter;
      if (dice == 3) counter = 0;
      if (s == 1) value = dice < 50 ? 0 : static_cast<double>(random() % 20) - 10;
      if (s == 2 && dice % 20 == 7) value = std::numeric_limits<double>::quiet_NaN();
      if (s == 2 && dice == 11) value = std::numeric_limits<double>::infinity();
      if (dice == 13) {
        samples.push_back({time_ms, StaleMarker()});
      } else {
        samples.push_back({time_ms, value});
      }
    }
    source.Add({{"__name__", "x_total"}, {"series", std::to_string(s)}}, samples);
  }
  return source;
}

void ExpectSame(double a, double b, const std::string& where) {
  if (std::isnan(a) || std::isnan(b)) {
    EXPECT_EQ(std::isnan(a), std::isnan(b)) << where;
  } else if (a != b) {
    EXPECT_LE(std::abs(a - b), 1e-11 * std::max(std::abs(a), std::abs(b))) << where;
  }
}

void CompareWithInstants(const ListSource& source, const std::string& query, int64_t step_ms) {
  const int64_t end_ms = kStartMs + 3'600'000;
  const auto matrix = Range(source, query, kStartMs, end_ms, step_ms);
  ASSERT_TRUE(matrix.ok()) << query << ": " << matrix.status().message();
  std::map<Labels, std::map<int64_t, double>> points;
  for (const Series& series : matrix->series) {
    for (const Sample& sample : series.samples) {
      points[series.labels][sample.time_ms] = sample.value;
    }
  }
  size_t compared = 0;
  for (int64_t time_ms = kStartMs; time_ms <= end_ms; time_ms += step_ms) {
    const auto value = Instant(source, query, time_ms);
    ASSERT_TRUE(value.ok());
    for (const Series& series : value->series) {
      const auto point = points[series.labels].find(time_ms);
      const std::string where = query + " at " + std::to_string(time_ms);
      ASSERT_NE(point, points[series.labels].end()) << where;
      ExpectSame(series.samples.front().value, point->second, where);
      points[series.labels].erase(point);
      ++compared;
    }
  }
  for (const auto& [labels, rest] : points) EXPECT_TRUE(rest.empty()) << query;
  EXPECT_GT(compared, 0u) << query;
}

class RangeFunctions : public testing::TestWithParam<const char*> {};

TEST_P(RangeFunctions, GiveAtEveryStepWhatAnInstantQueryGives) {
  const std::string function = GetParam();
  for (const uint64_t seed : {1, 2}) {
    const ListSource source = RandomSeries(seed);
    // Windows that overlap much, little and not at all.
    for (const auto& [range, step_ms] :
         {std::pair{"30m", 15'000}, {"5m", 61'000}, {"1m", 300'000}, {"20s", 7'000}}) {
      std::string query = function;
      query.replace(query.find('$'), 1, std::string("x_total[") + range + "]");
      CompareWithInstants(source, query, step_ms);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RangeFunctions,
    testing::Values("rate($)", "increase($)", "delta($)", "irate($)", "idelta($)", "deriv($)",
                    "predict_linear($, 60)", "changes($)", "resets($)", "sum_over_time($)",
                    "avg_over_time($)", "min_over_time($)", "max_over_time($)",
                    "count_over_time($)", "last_over_time($)", "present_over_time($)",
                    "stddev_over_time($)", "stdvar_over_time($)", "quantile_over_time(0.9, $)",
                    "quantile_over_time(scalar(vector(time() % 7 / 7)), $)",
                    "max_over_time($ offset 10m)", "quantile_over_time(0, $ @ 1000600)",
                    "sum_over_time($ @ 1000600)"));

TEST(RangeFunctions, SlideOverSubqueries) {
  const ListSource source = RandomSeries(3);
  CompareWithInstants(source, "max_over_time(rate(x_total[1m])[10m:30s])", 60'000);
  CompareWithInstants(source, "quantile_over_time(0.5, x_total[10m:10s])", 30'000);
}

TEST(RangeFunctions, ASumSmallBesideWhatCameBeforeKeepsItsDigits) {
  ListSource source;
  std::vector<Sample> samples;
  for (int i = 0; i < 400; ++i) {
    samples.push_back({kStartMs + i * 10'000, i < 100 ? 1e18 : i < 200 ? 0.0 : 1e-7 * i});
  }
  source.Add({{"__name__", "x_total"}, {"series", "0"}}, samples);
  CompareWithInstants(source, "sum_over_time(x_total[10m])", 10'000);
  CompareWithInstants(source, "avg_over_time(x_total[10m])", 10'000);
  CompareWithInstants(source, "stddev_over_time(x_total[10m])", 10'000);
}

}  // namespace
}  // namespace hearth::promql
