#include "firmware/metrics/exposition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "base/clock.h"
#include "firmware/metrics/metrics_pages.h"
#include "firmware/metrics/number_format.h"
#include "firmware/metrics/process_metrics.h"
#include "firmware/metrics/registry.h"

namespace hearth::metrics {
namespace {

std::string RenderText(const Snapshot& snapshot, Format format = Format::kText,
                       ViewSet views = ViewSet::All()) {
  return Exposition().Render(snapshot, format, views);
}

ViewSet Only(const std::string& view) { return ParseViews({view}).value(); }

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
  EXPECT_EQ(SeriesText(labels), "a{x=\"q\\\"b\\\\n\\n\"}");
}

TEST(Exposition, RendersAHistogramCumulatively) {
  Registry registry;
  Metric* const latency = registry.Get(MetricId::kHttpRequestDuration, {"/v1/models", "GET"});
  registry.Observe(latency, 0.1);  // an upper bound belongs to its bucket
  registry.Observe(latency, 0.2);
  registry.Observe(latency, 7);
  EXPECT_EQ(RenderText(registry.TakeSnapshot()),
            "# HELP http_request_duration_seconds Latency with only few buckets by handler.\n"
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

// OpenMetrics 1.0: the family's name without _total, integers for counts, _created, exemplars, EOF.
TEST(Exposition, RendersOpenMetrics) {
  Registry registry;
  Metric* const ttft = registry.Get(MetricId::kHearthTimeToFirstToken, {"m"});
  registry.Observe(ttft, 0.0015, "request-7");
  registry.Add(registry.Get(MetricId::kEngineRestarts, {"m"}), 2);
  const std::string page = RenderText(registry.TakeSnapshot(), Format::kOpenMetrics);
  const auto has = [&](const std::string& part) { return page.find(part) != std::string::npos; };
  EXPECT_TRUE(has("# TYPE hearth_engine_restarts counter\n# HELP hearth_engine_restarts ")) << page;
  EXPECT_TRUE(has("\nhearth_engine_restarts_total{model_name=\"m\"} 2.0\n"
                  "hearth_engine_restarts_created{model_name=\"m\"} "));
  EXPECT_TRUE(has("\nhearth_time_to_first_token_seconds_bucket{le=\"0.001\",model_name=\"m\"} 0\n"));
  EXPECT_TRUE(has("\nhearth_time_to_first_token_seconds_bucket{le=\"0.002\",model_name=\"m\"} 1 # "
                  "{request_id=\"request-7\"} 0.0015 "));
  EXPECT_TRUE(has("\nhearth_time_to_first_token_seconds_created{model_name=\"m\"} "));
  EXPECT_TRUE(page.ends_with("\n# EOF\n"));
}

// A counter's creation time is a line as any other: OpenMetrics wants a time on all or none of them.
TEST(Exposition, StampsEachLineWithTheTimeOfTheSampleWhenAsked) {
  Registry registry;
  registry.Add(registry.Get(MetricId::kEngineRestarts, {"m"}), 2);
  registry.Observe(registry.Get(MetricId::kHearthTimeToFirstToken, {"m"}), 0.0015, "request-7");
  Snapshot snapshot = registry.TakeSnapshot();
  EXPECT_NEAR(static_cast<double>(snapshot.time_ms), static_cast<double>(WallMillis()), 60'000);
  snapshot.time_ms = 1'795'353'111'007;
  const auto render = [&](Format format) {
    return Exposition().Render(snapshot, format, ViewSet::All(), Timestamps::kSample);
  };
  const std::string text = render(Format::kText);
  EXPECT_NE(text.find("\nhearth_engine_restarts_total{model_name=\"m\"} 2.0 1795353111007\n"),
            std::string::npos) << text;
  const std::string open_metrics = render(Format::kOpenMetrics);
  std::istringstream lines(open_metrics);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    EXPECT_NE(line.find(" 1795353111.007"), std::string::npos) << line;
  }
  EXPECT_NE(open_metrics.find("le=\"0.002\",model_name=\"m\"} 1 1795353111.007 # {request_id="),
            std::string::npos);
}

TEST(Exposition, ShowsAValueUnderEveryNameOfItsViews) {
  Registry registry;
  registry.Set(registry.Get(MetricId::kKvCacheUsage, {"m", "0"}), 0.25);
  const Snapshot snapshot = registry.TakeSnapshot();
  const std::string page = RenderText(snapshot);
  const auto has = [&](const std::string& part) { return page.find(part) != std::string::npos; };
  EXPECT_TRUE(has("\nvllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.25\n")) << page;
  EXPECT_TRUE(has("\nvllm:gpu_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.25\n"));
  EXPECT_TRUE(has("\nray_vllm_kv_cache_usage_perc{ReplicaId=\"default#LLMServer:m#0\",WorkerId=\"" +
                  WorkerId("m", "0") +
                  "\",deployment=\"LLMServer:m\",engine=\"0\",model_name=\"m\",replica=\"0\"} "
                  "0.25\n"));
  EXPECT_EQ(RenderText(snapshot, Format::kText, Only("hearth")), "");
  EXPECT_EQ(RenderText(snapshot, Format::kText, Only("vllm")).find("gpu_cache"), std::string::npos);
}

TEST(Exposition, ShowsJustCountAndSumWhereAViewIsASummary) {
  Registry registry;
  const double bounds[] = {10};
  registry.Observe(registry.Get(MetricId::kRequestPromptTokens, {"m", "0"}, bounds), 4);
  const std::string page = RenderText(registry.TakeSnapshot());
  EXPECT_NE(page.find("\n# TYPE ray_vllm:request_prompt_tokens summary\n"), std::string::npos);
  EXPECT_NE(page.find("\nray_vllm:request_prompt_tokens_sum{"), std::string::npos);
  EXPECT_EQ(page.find("ray_vllm:request_prompt_tokens_bucket"), std::string::npos);
}

TEST(NameViews, NameTheirKindsWhenAskedForAnother) {
  const auto views = ParseViews({"vllm", "grafana"});
  ASSERT_FALSE(views.ok());
  EXPECT_NE(views.status().message().find("'grafana'"), std::string::npos);
  EXPECT_NE(views.status().message().find("production_stack"), std::string::npos);
}

TEST(NameViews, GiveEachReplicaOneWorkerForTheLifeOfTheProcess) {
  EXPECT_EQ(WorkerId("m", "0").size(), 56u);
  EXPECT_EQ(WorkerId("m", "0"), WorkerId("m", "0"));
  EXPECT_NE(WorkerId("m", "0"), WorkerId("m", "1"));
  EXPECT_NE(WorkerId("m", "0"), WorkerId("n", "0"));
}

TEST(NameViews, ScaleWithoutNoise) {
  const NameView percent{View::kDcgm, MetricId::kGpuUtilization, "p", nullptr, 100, {}, ""};
  EXPECT_EQ(percent.Scaled(0.07), 7);
  EXPECT_EQ(percent.Scaled(0), 0);
  EXPECT_TRUE(std::isnan(percent.Scaled(std::nan(""))));
}

TEST(NameViews, NeverShowTwoValuesUnderOneName) {
  std::set<std::string> names;
  for (const NameView& view : NameViews()) {
    for (const std::string_view suffix : SeriesSuffixes(DefOf(view.id).kind)) {
      const auto name = view.SeriesName(suffix);
      if (!name) continue;
      EXPECT_TRUE(names.insert(*name).second) << *name;
    }
  }
}

TEST(MetricsPages, ShowWhatWasPublishedLast) {
  Registry registry;
  MetricsPages pages(&registry);
  Metric* const restarts = registry.Get(MetricId::kEngineRestarts, {"m"});
  const auto shows = [&](const std::string& value) {
    return pages.Page({})->find("hearth_engine_restarts_total{model_name=\"m\"} " + value + "\n") !=
           std::string::npos;
  };
  pages.Publish(std::make_shared<const Snapshot>(registry.TakeSnapshot()));
  EXPECT_TRUE(shows("0.0"));
  registry.Add(restarts);
  EXPECT_TRUE(shows("0.0")) << "a scrape reads the newest sample, not the registry";
  pages.Publish(std::make_shared<const Snapshot>(registry.TakeSnapshot()));
  EXPECT_TRUE(shows("1.0"));
  EXPECT_EQ(pages.Page({}), pages.Page({})) << "one rendering for all scrapers";
}

TEST(MetricsPages, CompressWhatTheyShow) {
  Registry registry;
  MetricsPages pages(&registry);
  const auto packed = pages.Page({.gzip = true});
  ASSERT_GE(packed->size(), 18u);
  EXPECT_EQ(packed->substr(0, 2), "\x1f\x8b");
}

TEST(Registry, HidesTheEngineFamiliesOfOneModel) {
  Registry registry;
  Metric* const one = registry.Get(MetricId::kGenerationTokens, {"one", "0"});
  registry.Get(MetricId::kGenerationTokens, {"two", "0"});
  registry.Get(MetricId::kEngineRestarts, {"one"});
  registry.SetEngineMetricsShown("one", false);
  registry.Add(one, 5);
  const std::string hidden = RenderText(registry.TakeSnapshot());
  EXPECT_EQ(hidden.find("vllm:generation_tokens_total{engine=\"0\",model_name=\"one\"}"),
            std::string::npos);
  EXPECT_NE(hidden.find("vllm:generation_tokens_total{engine=\"0\",model_name=\"two\"}"),
            std::string::npos);
  EXPECT_NE(hidden.find("hearth_engine_restarts_total{model_name=\"one\"}"), std::string::npos);
  registry.SetEngineMetricsShown("one", true);
  EXPECT_NE(RenderText(registry.TakeSnapshot())
                .find("vllm:generation_tokens_total{engine=\"0\",model_name=\"one\"} 5.0\n"),
            std::string::npos)
      << "what was counted unseen comes back";
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
