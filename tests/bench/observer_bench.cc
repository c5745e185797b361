// What metrics cost: one engine step of 32 sequences observed, one snapshot, one page in each
// format.
//
//   observer_bench      prints JSON: {"step_us", "snapshot_us", "text_us", "open_metrics_us", ...}
#include <cstdio>
#include <string>

#include "base/clock.h"
#include "base/gzip.h"
#include "firmware/metrics/exposition.h"
#include "firmware/metrics/observer.h"

namespace hearth::metrics {
namespace {

constexpr int kSequences = 32;

template <typename Work>
double MicrosecondsEach(int times, Work work) {
  const double start_s = MonotonicSeconds();
  for (int i = 0; i < times; ++i) work();
  return (MonotonicSeconds() - start_s) * 1e6 / times;
}

protocol::StepOutput DecodeStep(double time_s) {
  protocol::StepOutput output;
  output.stats.time_s = time_s;
  output.stats.num_sequences = output.stats.num_requests_running = kSequences;
  output.stats.num_generation_tokens = kSequences;
  output.stats.num_blocks_used = 100;
  output.stats.num_blocks_total = 1000;
  for (uint64_t id = 0; id < kSequences; ++id) output.deltas.push_back({id, "word", {7}, 0});
  return output;
}

void Run() {
  Registry registry;
  SloJudge slo(&registry, "m");
  EngineObserver observer(&registry, &slo, "m", "0");
  protocol::Ready ready;
  ready.max_model_len = 8192;
  observer.OnReady(ready);
  RequestFacts facts;
  facts.http_request_id = "chatcmpl-0123456789abcdef";
  facts.route = "/v1/chat/completions";
  for (uint64_t id = 0; id < kSequences; ++id) observer.OnAccepted(id, facts, 20);

  double time_s = 1;
  const double step_us = MicrosecondsEach(20000, [&] {
    time_s += 0.01;
    observer.OnStep(DecodeStep(time_s), time_s);
  });
  const double making_us = MicrosecondsEach(20000, [&] { (void)DecodeStep(time_s); });
  Exposition exposition;
  const ViewSet views = ViewSet::Default();
  Snapshot snapshot;
  const double snapshot_us = MicrosecondsEach(500, [&] { snapshot = registry.TakeSnapshot(); });
  std::string text = exposition.Render(snapshot, Format::kText, views);
  const double text_us =
      MicrosecondsEach(200, [&] { text = exposition.Render(snapshot, Format::kText, views); });
  const double open_metrics_us = MicrosecondsEach(
      200, [&] { (void)exposition.Render(snapshot, Format::kOpenMetrics, views); });
  const double gzip_us = MicrosecondsEach(50, [&] { (void)GzipCompress(text); });
  std::printf(
      "{\"step_us\": %.2f, \"snapshot_us\": %.0f, \"text_us\": %.0f, \"open_metrics_us\": %.0f, "
      "\"gzip_us\": %.0f, \"page_bytes\": %zu, \"series\": %zu}\n",
      step_us - making_us, snapshot_us, text_us, open_metrics_us, gzip_us, text.size(),
      snapshot.series.size());
}

}  // namespace
}  // namespace hearth::metrics

int main() {
  hearth::metrics::Run();
  return 0;
}
