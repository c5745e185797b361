#include "firmware/metrics/metrics_doc.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/durable_file.h"
#include "firmware/metrics/name_views.h"
#include "tests/prometheus/query_check.h"

namespace hearth::metrics {
namespace {

TEST(MetricsDoc, IsWhatTheTableSays) {
  EXPECT_TRUE(ReadSmallFile("docs/METRICS.md") == MetricsDoc())
      << "docs/METRICS.md is not what the metrics table says. Write it again, from the source root:\n"
         "  cmake --build build/dev --target hearth-metrics-doc && "
         "build/dev/bin/hearth-metrics-doc > docs/METRICS.md";
}

TEST(MetricsDoc, NamesEveryFamilyInEveryView) {
  const std::string page = MetricsDoc();
  for (const NameView& view : NameViews()) {
    EXPECT_NE(page.find("`" + view.name + "`"), std::string::npos) << view.name;
  }
}

TEST(MetricsDoc, EveryExampleQueryParsesAndAsksForWhatExists) {
  const QueryCheck check({}, {});
  for (const MetricDef& def : MetricDefs()) {
    for (const std::string& finding : check.Findings(ExampleQuery(def))) {
      ADD_FAILURE() << ExampleQuery(def) << ": " << finding;
    }
  }
}

TEST(MetricsDoc, KnowsValuesOnlyOfLabelsThatExist) {
  const MetricDef& failures = DefOf(MetricId::kRequestFailures);
  EXPECT_EQ(KnownLabelValues(failures, "reason").size(), std::size(kFailureReasons));
  EXPECT_TRUE(KnownLabelValues(failures, "model_name").empty());
}

TEST(QueryCheck, FindsWhatWouldBeSilentForEver) {
  using Strings = std::vector<std::string>;
  const QueryCheck check({"model:errors:rate5m"}, {"up", "instance"});
  EXPECT_EQ(check.Findings("up{instance=\"a\"} + model:errors:rate5m"), Strings{});
  EXPECT_EQ(check.Findings("rate(hearth_e2e_request_latency_seconds_bucket{le=\"1.0\"}[5m])"), Strings{});
  EXPECT_EQ(check.Findings("sum(ray_vllm_num_requests_running{WorkerId=~\".+\"})"), Strings{});
  EXPECT_EQ(check.Findings("max_over_time((1 - vllm:kv_cache_usage)[5m:1m])"),
            Strings{"there is no series 'vllm:kv_cache_usage'"});
  EXPECT_EQ(check.Findings("hearth_batch_size"), Strings{"there is no series 'hearth_batch_size'"});
  EXPECT_EQ(check.Findings("vllm:num_requests_running{model=\"a\"}"),
            Strings{"'vllm:num_requests_running' has no label 'model'"});
  EXPECT_EQ(check.Findings("topk(3, hearth_model_state{state=\"dead\"})"),
            Strings{"label 'state' of 'hearth_model_state' is never 'dead'"});
  EXPECT_EQ(check.Findings("-hearth_request_failures_total{reason=~\"lost|gone\"}"),
            Strings{"label 'reason' of 'hearth_request_failures_total' is never 'gone'"});
  EXPECT_EQ(check.Findings("hearth_request_failures_total{reason=~\"engine_.*\"}"), Strings{});
  EXPECT_EQ(check.Findings("sum(").size(), 1u);
}

}  // namespace
}  // namespace hearth::metrics
