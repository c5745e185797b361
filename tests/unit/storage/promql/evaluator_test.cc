#include "storage/promql/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "storage/promql/parser.h"
#include "tests/unit/storage/promql/list_source.h"

namespace hearth::promql {
namespace {

// The value of the only series.
double Only(const SeriesSource& source, const std::string& query, int64_t time_ms) {
  const Result<Value> value = Instant(source, query, time_ms);
  EXPECT_TRUE(value.ok()) << query << ": " << value.status().ToString();
  if (!value.ok() || value->series.size() != 1) return -12345;
  return value->series.front().samples.front().value;
}

ListSource CounterEveryTenSeconds() {
  ListSource source;
  std::vector<Sample> samples;
  for (int i = 0; i <= 12; ++i) samples.push_back({1'000'000 + i * 10'000, 100 + 5.0 * i});
  source.Add({{"__name__", "x_total"}, {"job", "a"}}, samples);
  return source;
}

TEST(Evaluator, ExtrapolatesRatesToTheWindow) {
  const ListSource source = CounterEveryTenSeconds();
  // (60 s, 120 s] holds 70..120: five steps of 5 in 50 s; the first sample lies 10 s after the start,
  // within 1.1 distances, so the window is reached: 25 * 60/50.
  EXPECT_DOUBLE_EQ(Only(source, "increase(x_total[1m])", 1'120'000), 30);
  EXPECT_DOUBLE_EQ(Only(source, "rate(x_total[1m])", 1'120'000), 0.5);
  EXPECT_DOUBLE_EQ(Only(source, "irate(x_total[1m])", 1'120'000), 0.5);
  EXPECT_DOUBLE_EQ(Only(source, "delta(x_total[1m])", 1'120'000), 30);
  // Samples only from 1000 s on: the start is 60 s away, so half a distance is added: 10 * 25/20.
  EXPECT_DOUBLE_EQ(Only(source, "increase(x_total[80s])", 1'020'000), 12.5);
}

TEST(Evaluator, CountsThroughCounterResets) {
  ListSource source;
  source.Add({{"__name__", "x_total"}},
             {{0, 10}, {10'000, 20}, {20'000, 5}, {30'000, 15}, {40'000, 2}});
  // 10 + 5 + 10 + 2 = 27 over 40 s, in a window (-10 s, 40 s] that the first sample reaches.
  EXPECT_DOUBLE_EQ(Only(source, "increase(x_total[50s])", 40'000), 27 * 50.0 / 40);
  EXPECT_EQ(Only(source, "resets(x_total[50s])", 40'000), 2);
  EXPECT_EQ(Only(source, "resets(x_total[20s])", 40'000), 1);
}

TEST(Evaluator, WindowsAndLookbackAreOpenAtTheLeft) {
  ListSource source;
  source.Add({{"__name__", "x"}}, {{0, 1}, {60'000, 2}});
  EXPECT_EQ(Only(source, "count_over_time(x[1m])", 60'000), 1);
  EXPECT_EQ(Instant(source, "x", 359'999)->series.size(), 1u);
  EXPECT_EQ(Instant(source, "x", 360'000)->series.size(), 0u);
}

TEST(Evaluator, EndsSeriesAtStaleMarkers) {
  ListSource source;
  source.Add({{"__name__", "x"}}, {{0, 1}, {10'000, StaleMarker()}, {20'000, 3}});
  EXPECT_EQ(Instant(source, "x", 9'999)->series.size(), 1u);
  EXPECT_EQ(Instant(source, "x", 15'000)->series.size(), 0u);
  EXPECT_EQ(Only(source, "count_over_time(x[1m])", 20'000), 2);
}

ListSource Histogram() {
  ListSource source;
  const std::pair<const char*, double> buckets[] = {{"0.1", 10}, {"0.5", 30}, {"1", 40}, {"+Inf", 50}};
  for (const auto& [le, count] : buckets) {
    source.Add({{"__name__", "x_bucket"}, {"le", le}}, {{0, count}});
  }
  return source;
}

// A gauge of bytes read as seconds: the answers are Prometheus 2.42's.
TEST(Evaluator, NamesDaysOfYearsFarAway) {
  const auto at = [](const std::string& query) {
    return Instant(ListSource(), query, 0)->series.at(0).samples.at(0).value;
  };
  EXPECT_EQ(at("year(vector(241000000000))"), 9606);
  EXPECT_EQ(at("day_of_year(vector(241000000000))"), 360);
  EXPECT_EQ(at("day_of_week(vector(1e12))"), 5);
  EXPECT_EQ(at("hour(vector(1e12))"), 1);
  EXPECT_EQ(at("year(vector(1e18))"), 31688740476);
  EXPECT_EQ(at("year(vector(-1e13))"), -314918);
  EXPECT_EQ(at("month(vector(-1e13))"), 8);
  EXPECT_EQ(at("days_in_month(vector(-1e11))"), 28);
  EXPECT_EQ(at("minute(vector(-1.5))"), 59);
}

TEST(Evaluator, InterpolatesHistogramQuantiles) {
  const ListSource source = Histogram();
  // Rank 25 of 50 lies 15 of 20 into (0.1, 0.5].
  EXPECT_DOUBLE_EQ(Only(source, "histogram_quantile(0.5, x_bucket)", 0), 0.1 + 0.4 * 15 / 20);
  EXPECT_DOUBLE_EQ(Only(source, "histogram_quantile(0.1, x_bucket)", 0), 0.05);
  EXPECT_EQ(Only(source, "histogram_quantile(0.95, x_bucket)", 0), 1);
  EXPECT_EQ(Only(source, "histogram_quantile(2, x_bucket)", 0), HUGE_VAL);
  EXPECT_EQ(Only(source, "histogram_quantile(-1, x_bucket)", 0), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(Only(source, "histogram_quantile(0.5, 0 * x_bucket)", 0)));
  EXPECT_TRUE(std::isnan(Only(source, "histogram_quantile(0.5, x_bucket{le!=\"+Inf\"})", 0)));
}

TEST(Evaluator, RaisesFallingBucketsAndSaysSo) {
  ListSource source;
  source.Add({{"__name__", "x_bucket"}, {"le", "1"}}, {{0, 10}});
  source.Add({{"__name__", "x_bucket"}, {"le", "2"}}, {{0, 4}});
  source.Add({{"__name__", "x_bucket"}, {"le", "+Inf"}}, {{0, 10}});
  const Result<Value> value = Instant(source, "histogram_quantile(0.5, x_bucket)", 0);
  EXPECT_DOUBLE_EQ(value->series.front().samples.front().value, 0.5);
  ASSERT_EQ(value->annotations.infos.size(), 1u);
  EXPECT_EQ(value->annotations.infos.front(),
            "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
            "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) "
            "for metric name \"x_bucket\" (1:25)");
}

ListSource TwoJobs() {
  ListSource source;
  source.Add({{"__name__", "x"}, {"job", "a"}, {"i", "0"}}, {{0, 1}});
  source.Add({{"__name__", "x"}, {"job", "a"}, {"i", "1"}}, {{0, 3}});
  source.Add({{"__name__", "x"}, {"job", "b"}, {"i", "0"}}, {{0, 5}});
  source.Add({{"__name__", "y"}, {"job", "a"}}, {{0, 2}});
  return source;
}

TEST(Evaluator, AggregatesByGroups) {
  const ListSource source = TwoJobs();
  EXPECT_EQ(Only(source, "sum(x)", 0), 9);
  EXPECT_EQ(Only(source, "avg(x)", 0), 3);
  EXPECT_EQ(Only(source, "stdvar(x)", 0), 8.0 / 3);
  EXPECT_EQ(Only(source, "quantile(0.25, x)", 0), 2);
  const Result<Value> sums = Instant(source, "sum by (job) (x)", 0);
  ASSERT_EQ(sums->series.size(), 2u);
  EXPECT_EQ(sums->series[0].labels.Get("job"), "a");
  EXPECT_EQ(sums->series[0].samples.front().value, 4);
  const Result<Value> top = Instant(source, "topk(2, x)", 0);
  ASSERT_EQ(top->series.size(), 2u);
  EXPECT_EQ(top->series[0].samples.front().value, 5);
  EXPECT_EQ(top->series[0].labels.Get("__name__"), "x");
}

TEST(Evaluator, MatchesVectors) {
  const ListSource source = TwoJobs();
  EXPECT_EQ(Instant(source, "x / on(job) group_left y", 0)->series.size(), 2u);
  EXPECT_EQ(Only(source, "sum by (job) (x) / on(job) y", 0), 2);
  EXPECT_EQ(Only(source, "x{job=\"b\"} unless on(job) y", 0), 5);
  EXPECT_EQ(Instant(source, "x > 2", 0)->series.size(), 2u);
  EXPECT_EQ(Instant(source, "x / on(job) y", 0).status().message(),
            "multiple matches for labels: many-to-one matching must be explicit "
            "(group_left/group_right)");
  EXPECT_EQ(Instant(source, "y / on(job) x", 0).status().message(),
            "found duplicate series for the match group {job=\"a\"} on the right hand-side of the "
            "operation: [{__name__=\"x\", i=\"0\", job=\"a\"}, {__name__=\"x\", i=\"1\", "
            "job=\"a\"}];many-to-many matching not allowed: matching labels must be unique on one "
            "side");
}

TEST(Evaluator, AsksTheSourceOnceForAllSteps) {
  const ListSource source = CounterEveryTenSeconds();
  const Result<Matrix> matrix =
      Range(source, "rate(x_total[30s] offset 10s)", 1'060'000, 1'120'000, 20'000);
  ASSERT_EQ(matrix->series.size(), 1u);
  EXPECT_EQ(matrix->series.front().samples.size(), 4u);
  EXPECT_EQ(source.last_hints.start_ms, 1'020'000);
  EXPECT_EQ(source.last_hints.end_ms, 1'110'000);
  EXPECT_EQ(source.last_hints.step_ms, 20'000);
  EXPECT_EQ(source.last_hints.range_ms, 30'000);
}

TEST(Evaluator, StopsAtItsBounds) {
  const ListSource source = CounterEveryTenSeconds();
  EvalOptions options;
  options.samples_max = 5;
  const Status too_many = Instant(source, "rate(x_total[1m])", 1'120'000, options).status();
  EXPECT_EQ(too_many.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(too_many.message(),
            "query processing would load too many samples into memory in query execution");
  EXPECT_EQ(Instant(source, "max_over_time(vector(1)[10y:1ms])", 0).status().code(),
            StatusCode::kResourceExhausted);
  options = {};
  options.timeout_s = -1;
  const Status late = Instant(source, "x_total", 1'120'000, options).status();
  EXPECT_EQ(late.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(late.message(), "query timed out in expression evaluation");
}

TEST(Evaluator, RefusesRangeVectorsInRangeQueries) {
  const ListSource source = CounterEveryTenSeconds();
  EXPECT_EQ(Range(source, "x_total[1m]", 0, 1000, 1000).status().message(),
            "invalid expression type \"range vector\" for range query, must be Scalar or instant "
            "Vector");
}

TEST(Evaluator, RemarksOnRatesOfGauges) {
  ListSource source;
  source.Add({{"__name__", "x"}}, {{0, 1}, {10'000, 2}});
  const Result<Value> value = Instant(source, "rate(x[1m])", 10'000);
  ASSERT_EQ(value->annotations.infos.size(), 1u);
  EXPECT_EQ(value->annotations.infos.front(),
            "PromQL info: metric might not be a counter, name does not end in "
            "_total/_sum/_count/_bucket: \"x\" (1:6)");
}

}  // namespace
}  // namespace hearth::promql
