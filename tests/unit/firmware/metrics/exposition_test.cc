#include "firmware/metrics/exposition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "firmware/metrics/process_metrics.h"
#include "firmware/metrics/registry.h"

namespace hearth::metrics {
namespace {

TEST(Exposition, PrintsNumbersAsPythonsClientDoes) {
  EXPECT_EQ(FormatValue(0), "0.0");
  EXPECT_EQ(FormatValue(1), "1.0");
  EXPECT_EQ(FormatValue(0.025), "0.025");
  EXPECT_EQ(FormatValue(7680), "7680.0");
  EXPECT_EQ(FormatValue(-2.5), "-2.5");
  EXPECT_EQ(FormatValue(1795353111), "1.795353111e+09");
  EXPECT_EQ(FormatValue(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(FormatValue(std::nan("")), "NaN");
}

TEST(Exposition, EscapesLabelValues) {
  const promql::Labels labels({{"__name__", "a"}, {"x", "q\"b\\n\n"}});
  EXPECT_EQ(SeriesLine(labels), "a{x=\"q\\\"b\\\\n\\n\"} ");
}

TEST(Exposition, RendersAHistogramCumulatively) {
  Registry registry;
  Metric* const latency = registry.Get(MetricId::kHttpRequestDuration, {"/v1/models", "GET"});
  registry.Observe(latency, 0.1);  // an upper bound belongs to its bucket
  registry.Observe(latency, 0.2);
  registry.Observe(latency, 7);
  EXPECT_EQ(RenderText(registry.TakeSnapshot()),
            "# HELP http_request_duration_seconds Time from the request's header to the end of the "
            "answer.\n"
            "# TYPE http_request_duration_seconds histogram\n"
            "http_request_duration_seconds_bucket{handler=\"/v1/models\",le=\"0.1\",method=\"GET\"} "
            "1.0\n"
            "http_request_duration_seconds_bucket{handler=\"/v1/models\",le=\"0.5\",method=\"GET\"} "
            "2.0\n"
            "http_request_duration_seconds_bucket{handler=\"/v1/models\",le=\"1.0\",method=\"GET\"} "
            "2.0\n"
            "http_request_duration_seconds_bucket{handler=\"/v1/models\",le=\"+Inf\",method=\"GET\"} "
            "3.0\n"
            "http_request_duration_seconds_count{handler=\"/v1/models\",method=\"GET\"} 3.0\n"
            "http_request_duration_seconds_sum{handler=\"/v1/models\",method=\"GET\"} 7.3\n");
}

TEST(Registry, LeavesOutWhatWasWithdrawn) {
  Registry registry;
  Metric* const temperature = registry.Get(MetricId::kGpuTemperature, {"0", "x"});
  EXPECT_EQ(registry.TakeSnapshot().series.size(), 1u);
  registry.SetExposed(temperature, false);
  EXPECT_EQ(registry.TakeSnapshot().series.size(), 0u);
}

TEST(Registry, ReadingChangesNothing) {
  Registry registry;
  registry.Add(registry.Get(MetricId::kEngineRestarts, {"m"}), 3);
  const std::string first = RenderText(registry.TakeSnapshot());
  EXPECT_EQ(RenderText(registry.TakeSnapshot()), first);
  EXPECT_NE(first.find("hearth_engine_restarts_total{model_name=\"m\"} 3.0"), std::string::npos);
}

TEST(ProcessMetrics, ReadThisProcess) {
  Registry registry;
  ProcessMetrics process(&registry);
  const std::string page = RenderText(registry.TakeSnapshot());
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ",
                           "process_start_time_seconds ", "process_open_fds "}) {
    EXPECT_NE(page.find(std::string("\n") + name), std::string::npos) << name << "\n" << page;
  }
}

}  // namespace
}  // namespace hearth::metrics
