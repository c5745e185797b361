// EngineObserver: the only place where what an engine reports becomes metrics.
//
// The clocks are vLLM's: TTFT and e2e run from the arrival in the HTTP front to the moment the
// step's frame is handled here; inter-token latency is one sample per step of a request; queue,
// prefill, decode, inference time and TPOT come from the engine's own stamps when a request
// finishes. Unlike vLLM, aborted and failed requests are counted too.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/protocol/messages.h"
#include "firmware/metrics/registry.h"
#include "firmware/metrics/slo.h"

namespace hearth::metrics {

// What the front knows of a request that an engine works on.
struct RequestFacts {
  double arrival_time_s = 0;    // CLOCK_MONOTONIC, in the HTTP front
  double submit_time_s = 0;     // when the replica took it
  int num_requeues = 0;         // its engine ended under it before, and it was placed anew
  std::string http_request_id;  // for exemplars
  std::string route;            // "/v1/chat/completions"
  std::optional<int> max_tokens;
};

// One replica's engine. Every child exists at 0 from construction, those whose buckets depend on
// max_model_len from OnReady. One call at a time.
class EngineObserver {
 public:
  // engine: the replica's index, "0" first. `slo` judges the model's requests and outlives this.
  EngineObserver(Registry* registry, SloJudge* slo, std::string model_name, std::string engine);

  void OnState(std::string_view state);  // one of kModelStates
  void OnProcessStarted();
  void OnReady(const protocol::Ready& ready);
  void OnAccepted(uint64_t request_id, const RequestFacts& facts, int num_prompt_tokens);
  void OnRefused(const RequestFacts& facts);
  void OnStep(const protocol::StepOutput& output, double now_s);
  // The process ended: what it ran is counted as finished with an error, but for what had no token
  // yet and is placed once more (models/ticket.h); its gauges fall to 0.
  // unload_s: since the decision to end it; 0 when nobody decided.
  void OnEngineGone(double unload_s);
  void OnRestart();
  void OnCrash(std::string_view reason);  // one of kCrashReasons
  void OnStall();
  void OnDegraded(bool degraded);
  // Another engine of the model has come, and the gauges are its from now on: this one withdraws
  // what it showed, and only counts what it still does.
  void HandGaugesOver();

 private:
  struct RequestState {
    RequestFacts facts;
    int num_prompt_tokens = 0;
    double first_token_time_s = 0;  // as seen here; 0 before the first
    double last_token_time_s = 0;   // the step's stamp; 0 before the first
  };
  struct Route {
    Metric *requests, *errors, *latency_ms;
  };

  void MakeStepMetrics();
  void MakeRequestMetrics();
  void MakeServiceMetrics();
  Metric* Engine(MetricId id, std::span<const double> bounds = {});
  Metric* Model(MetricId id) { return registry_->Get(id, {model_name_}); }
  Metric* Replica(MetricId id);
  const Route& RouteOf(const std::string& route);
  void OnDelta(const protocol::RequestDelta& delta, double step_time_s, double now_s);
  void OnFirstToken(RequestState& request, const protocol::RequestDelta& delta, double now_s);
  void OnFinished(const protocol::FinishedRequest& finished, double now_s);
  void ObservePhases(const protocol::FinishedRequest& finished, const std::string& exemplar);
  void ObserveLengths(const protocol::FinishedRequest& finished, const RequestFacts& facts);
  void Judge(const RequestState& request, const protocol::FinishedRequest& finished, double e2e_s);
  void CountEnd(const RequestFacts& facts, std::string_view finish_reason, double now_s);
  void SetGauge(Metric* gauge, double value);  // unless it is another's
  void SetSleepState(bool awake);
  void WithdrawGauges();  // nothing is true of this engine any more
  void SetReadyFacts(const protocol::Ready& ready);

  Registry* const registry_;
  SloJudge* const slo_;
  const std::string model_name_;
  const std::string engine_;
  const std::string deployment_;

  // of steps
  Metric *running_, *waiting_, *kv_usage_, *prefix_queries_, *prefix_hits_, *preemptions_,
      *generation_tokens_, *iteration_tokens_, *batch_size_, *flops_, *read_bytes_, *write_bytes_;
  std::array<Metric*, std::size(kWaitingReasons)> waiting_by_reason_;
  std::array<Metric*, std::size(kSleepStates)> sleep_states_;
  // of requests
  Metric *prompt_tokens_, *prompt_tokens_cached_, *ttft_, *itl_, *tpot_, *e2e_, *queue_,
      *inference_, *prefill_, *decode_, *params_n_, *num_preemptions_, *fine_ttft_, *fine_itl_,
      *fine_tpot_, *fine_e2e_;
  std::array<Metric*, std::size(kPromptTokenSources)> prompt_tokens_by_source_;
  std::array<Metric*, std::size(kFinishReasons)> finished_;
  // From OnReady: their buckets depend on max_model_len.
  Metric *request_prompt_tokens_ = nullptr, *request_generation_tokens_ = nullptr,
         *max_generation_tokens_ = nullptr, *params_max_tokens_ = nullptr,
         *prefill_computed_tokens_ = nullptr;
  // of the service
  std::array<Metric*, std::size(kModelStates)> states_;
  std::array<Metric*, std::size(kCrashReasons)> crashes_;
  Metric *restarts_, *stalls_, *degraded_, *starts_, *models_held_, *model_id_held_, *loads_, *unloads_, *load_ms_,
      *unload_ms_, *model_requests_;
  std::map<std::string, Route, std::less<>> routes_;
  // What is true of the engine that runs (memory, capacity, configuration): withdrawn when it is gone.
  std::vector<Metric*> ready_facts_;
  bool holds_model_ = false;
  bool owns_gauges_ = true;
  std::unordered_map<uint64_t, RequestState> requests_;
};

}  // namespace hearth::metrics
