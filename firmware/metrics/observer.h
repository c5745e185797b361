// Observers: the only place where what an engine or the service reports becomes metrics.
//
// The clocks are vLLM's: TTFT and e2e run from the arrival in the HTTP front to the moment the step's
// frame is handled here; inter-token latency is one sample per step of a request; queue, prefill,
// decode, inference time and TPOT come from the engine's own stamps when a request finishes. Unlike
// vLLM, aborted and failed requests are counted too.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/protocol/messages.h"
#include "firmware/metrics/registry.h"

namespace hearth::metrics {

// One replica's engine. Every child exists at 0 from construction, those whose buckets depend on
// max_model_len from OnReady. All calls come from the replica's own thread.
class EngineObserver {
 public:
  // engine: the replica's index, "0" first.
  EngineObserver(Registry* registry, std::string model_name, std::string engine);

  void OnState(std::string_view state);  // one of kModelStates
  void OnReady(const protocol::Ready& ready);
  void OnAccepted(uint64_t request_id, double arrival_time_s, int num_prompt_tokens);
  void OnStep(const protocol::StepOutput& output, double now_s);
  // The process ended: what it ran is counted as finished with an error, its gauges fall to 0.
  void OnEngineGone();
  void OnRestart();

 private:
  struct RequestState {
    double arrival_time_s = 0;
    double last_token_time_s = 0;  // 0 before the first
    int num_prompt_tokens = 0;
  };

  Metric* Engine(MetricId id, std::span<const double> bounds = {});
  void OnDelta(const protocol::RequestDelta& delta, double step_time_s, double now_s);
  void OnFinished(const protocol::FinishedRequest& finished, double now_s);
  void CountFinish(std::string_view finish_reason);

  Registry* const registry_;
  const std::string model_name_;
  const std::string engine_;

  Metric *running_, *waiting_, *kv_usage_, *prefix_queries_, *prefix_hits_, *preemptions_,
      *prompt_tokens_, *generation_tokens_, *iteration_tokens_, *ttft_, *itl_, *tpot_, *e2e_, *queue_,
      *inference_, *prefill_, *decode_;
  Metric* request_prompt_tokens_ = nullptr;      // from OnReady
  Metric* request_generation_tokens_ = nullptr;  // from OnReady
  Metric* ray_requests_;
  Metric* restarts_;
  std::array<Metric*, std::size(kFinishReasons)> finished_;
  std::array<Metric*, std::size(kModelStates)> states_;
  std::unordered_map<uint64_t, RequestState> requests_;
};

// What the HTTP front sees of requests. Any thread.
class ServiceObserver {
 public:
  explicit ServiceObserver(Registry* registry) : registry_(registry) {}

  // Makes the children of a model that is served, at 0.
  void OnModelKnown(const std::string& model_name);

  // model_name: a served one, or "" (a client's free text must not become a label).
  void OnFailure(const std::string& model_name, std::string_view reason);

  // handler: the route's pattern. The status label is grouped, "2xx".
  void OnHttpRequest(std::string_view handler, std::string_view method, int status,
                     double duration_s);

 private:
  Registry* const registry_;
};

}  // namespace hearth::metrics
