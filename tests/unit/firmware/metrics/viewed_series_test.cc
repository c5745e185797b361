#include "firmware/metrics/viewed_series.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hearth::metrics {
namespace {

using promql::Labels;
using promql::Matcher;

// Two recorded series, each with one sample.
class Recorded : public promql::SeriesSource {
 public:
  Recorded() {
    Add({{"__name__", "vllm:kv_cache_usage_perc"}, {"engine", "0"}, {"model_name", "m"}}, 0.5);
    Add({{"__name__", "vllm:num_requests_running"}, {"engine", "0"}, {"model_name", "m"}}, 3);
    Add({{"__name__", "ray_serve_deployment_request_counter_total"},
         {"application", "default"},
         {"deployment", "LLMServer:m"},
         {"model_name", "m"},
         {"replica", "0"},
         {"route", "/v1/completions"}},
        7);
  }

  Result<std::vector<promql::Series>> Select(const std::vector<Matcher>& matchers,
                                             const promql::SelectHints&) const override {
    std::vector<promql::Series> found;
    for (const promql::Series& series : series_) {
      const bool fits = std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
        return matcher.Matches(series.labels.Get(matcher.name));
      });
      if (fits) found.push_back(series);
    }
    return found;
  }

  Result<std::vector<Labels>> SeriesLabels(const std::vector<Matcher>& matchers, int64_t,
                                           int64_t) const override {
    std::vector<Labels> labels;
    const auto found = Select(matchers, {}).value();
    for (const promql::Series& series : found) labels.push_back(series.labels);
    return labels;
  }

 private:
  void Add(std::vector<Labels::Pair> pairs, double value) {
    series_.push_back({Labels(std::move(pairs)), {{1000, value}}});
  }

  std::vector<promql::Series> series_;
};

class ViewedSeriesTest : public ::testing::Test {
 protected:
  static Matcher Is(const std::string& name, const std::string& value,
                    Matcher::Op op = Matcher::Op::kEqual) {
    return Matcher::Make(name, op, value).value();
  }
  std::vector<promql::Series> Select(const std::vector<Matcher>& matchers) {
    return viewed_.Select(matchers, {}).value();
  }

  Recorded recorded_;
  ViewedSeries viewed_{&recorded_};
};

TEST_F(ViewedSeriesTest, AnswersToRecordedNames) {
  const auto found = Select({Is("__name__", "vllm:kv_cache_usage_perc")});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].samples.at(0).value, 0.5);
}

TEST_F(ViewedSeriesTest, AnswersToRaysSpellingWithRaysLabels) {
  const auto found = Select({Is("__name__", "ray_vllm_kv_cache_usage_perc"),
                             Is("WorkerId", WorkerId("m", "0")), Is("model_name", "m")});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].labels.Get("deployment"), "LLMServer:m");
  EXPECT_EQ(found[0].labels.Get("__name__"), "ray_vllm_kv_cache_usage_perc");
  EXPECT_TRUE(Select({Is("__name__", "ray_vllm_kv_cache_usage_perc"), Is("WorkerId", "x")}).empty());
}

TEST_F(ViewedSeriesTest, AddsTheWorkerToASeriesThatKeepsItsName) {
  const auto found = Select({Is("__name__", "ray_serve_deployment_request_counter_total")});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].labels.Get("WorkerId"), WorkerId("m", "0"));
  EXPECT_TRUE(Select({Is("__name__", "ray_serve_deployment_request_counter_total"),
                      Is("WorkerId", "")})
                  .empty());
}

TEST_F(ViewedSeriesTest, AnswersToRemovedNamesAndScales) {
  EXPECT_EQ(Select({Is("__name__", "vllm:gpu_cache_usage_perc")}).at(0).samples.at(0).value, 0.5);
  EXPECT_EQ(Select({Is("__name__", "vllm:num_requests_swapped")}).at(0).samples.at(0).value, 0);
}

TEST_F(ViewedSeriesTest, FindsEveryNameThatAnExpressionAdmits) {
  const auto found = Select({Is("__name__", ".*cache_usage_perc", Matcher::Op::kRegex)});
  std::vector<std::string> names;
  for (const auto& series : found) names.push_back(series.labels.Get("__name__"));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"ray_vllm_kv_cache_usage_perc",
                                             "vllm:gpu_cache_usage_perc",
                                             "vllm:kv_cache_usage_perc"}));
}

TEST_F(ViewedSeriesTest, ListsLabelsUnderEveryNameOnce) {
  const auto all = viewed_.SeriesLabels({}, 0, 2000).value();
  auto unique = all;
  std::sort(unique.begin(), unique.end());
  EXPECT_EQ(std::unique(unique.begin(), unique.end()), unique.end());
  EXPECT_GT(all.size(), 6u);
}

}  // namespace
}  // namespace hearth::metrics
