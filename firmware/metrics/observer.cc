#include "firmware/metrics/observer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "firmware/metrics/name_views.h"
#include "firmware/metrics/number_format.h"

namespace hearth::metrics {
namespace {

size_t IndexOf(std::span<const std::string_view> names, std::string_view name) {
  const auto it = std::find(names.begin(), names.end(), name);
  CHECK(it != names.end()) << name;
  return static_cast<size_t>(it - names.begin());
}

// vLLM labels print Python's values.
std::string PythonBool(bool value) { return value ? "True" : "False"; }

std::string TwoDigits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

}  // namespace

EngineObserver::EngineObserver(Registry* registry, SloJudge* slo, std::string model_name,
                               std::string engine)
    : registry_(registry),
      slo_(slo),
      model_name_(std::move(model_name)),
      engine_(std::move(engine)),
      deployment_(DeploymentName(model_name_)) {
  MakeStepMetrics();
  MakeRequestMetrics();
  MakeServiceMetrics();
}

Metric* EngineObserver::Engine(MetricId id, std::span<const double> bounds) {
  return registry_->Get(id, {model_name_, engine_}, bounds);
}

Metric* EngineObserver::Replica(MetricId id) {
  return registry_->Get(id, {std::string(kApplication), deployment_, model_name_, engine_});
}

void EngineObserver::MakeStepMetrics() {
  using enum MetricId;
  running_ = Engine(kNumRequestsRunning);
  waiting_ = Engine(kNumRequestsWaiting);
  kv_usage_ = Engine(kKvCacheUsage);
  prefix_queries_ = Engine(kPrefixCacheQueries);
  prefix_hits_ = Engine(kPrefixCacheHits);
  preemptions_ = Engine(kNumPreemptions);
  generation_tokens_ = Engine(kGenerationTokens);
  iteration_tokens_ = Engine(kIterationTokens);
  batch_size_ = Model(kHearthBatchSize);
  flops_ = Engine(kEstimatedFlops);
  read_bytes_ = Engine(kEstimatedReadBytes);
  write_bytes_ = Engine(kEstimatedWriteBytes);
  for (size_t i = 0; i < waiting_by_reason_.size(); ++i) {
    waiting_by_reason_[i] = registry_->Get(kNumRequestsWaitingByReason,
                                           {model_name_, engine_, std::string(kWaitingReasons[i])});
  }
  for (size_t i = 0; i < sleep_states_.size(); ++i) {
    sleep_states_[i] =
        registry_->Get(kEngineSleepState, {model_name_, engine_, std::string(kSleepStates[i])});
  }
  // Caches that a box of one engine does not have; dashboards divide by them.
  for (const MetricId id :
       {kExternalPrefixCacheQueries, kExternalPrefixCacheHits, kMmCacheQueries, kMmCacheHits}) {
    Engine(id);
  }
}

void EngineObserver::MakeRequestMetrics() {
  using enum MetricId;
  prompt_tokens_ = Engine(kPromptTokens);
  prompt_tokens_cached_ = Engine(kPromptTokensCached);
  ttft_ = Engine(kTimeToFirstToken);
  itl_ = Engine(kInterTokenLatency);
  tpot_ = Engine(kRequestTimePerOutputToken);
  e2e_ = Engine(kE2eRequestLatency);
  queue_ = Engine(kRequestQueueTime);
  inference_ = Engine(kRequestInferenceTime);
  prefill_ = Engine(kRequestPrefillTime);
  decode_ = Engine(kRequestDecodeTime);
  params_n_ = Engine(kRequestParamsN);
  num_preemptions_ = Engine(kRequestNumPreemptions);
  fine_ttft_ = Model(kHearthTimeToFirstToken);
  fine_itl_ = Model(kHearthInterTokenLatency);
  fine_tpot_ = Model(kHearthTimePerOutputToken);
  fine_e2e_ = Model(kHearthE2eRequestLatency);
  for (size_t i = 0; i < prompt_tokens_by_source_.size(); ++i) {
    prompt_tokens_by_source_[i] = registry_->Get(
        kPromptTokensBySource, {model_name_, engine_, std::string(kPromptTokenSources[i])});
  }
  for (size_t i = 0; i < finished_.size(); ++i) {
    finished_[i] =
        registry_->Get(kRequestSuccess, {model_name_, engine_, std::string(kFinishReasons[i])});
  }
}

void EngineObserver::MakeServiceMetrics() {
  using enum MetricId;
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i] =
        registry_->Get(kReplicaState, {model_name_, engine_, std::string(kModelStates[i])});
  }
  for (size_t i = 0; i < crashes_.size(); ++i) {
    crashes_[i] = registry_->Get(kEngineCrashes, {model_name_, std::string(kCrashReasons[i])});
  }
  restarts_ = Model(kEngineRestarts);
  stalls_ = Model(kEngineStalls);
  degraded_ = Engine(kEngineDegraded);
  starts_ = Replica(kServeDeploymentReplicaStarts);
  models_held_ = Replica(kServeNumMultiplexedModels);
  model_id_held_ =
      registry_->Get(kServeRegisteredMultiplexedModelId,
                     {std::string(kApplication), deployment_, model_name_, model_name_, engine_});
  loads_ = Replica(kServeMultiplexedModelsLoadCounter);
  unloads_ = Replica(kServeMultiplexedModelsUnloadCounter);
  load_ms_ = Replica(kServeMultiplexedModelLoadLatency);
  unload_ms_ = Replica(kServeMultiplexedModelUnloadLatency);
  model_requests_ = Replica(kServeMultiplexedGetModelRequests);
  // At 0 from the start: Ray's dashboards join every engine series with this counter.
  for (const std::string_view route : kInferenceRoutes) RouteOf(std::string(route));
}

const EngineObserver::Route& EngineObserver::RouteOf(const std::string& route) {
  const auto it = routes_.find(route);
  if (it != routes_.end()) return it->second;
  using enum MetricId;
  const auto get = [&](MetricId id) {
    return registry_->Get(id,
                          {std::string(kApplication), deployment_, model_name_, engine_, route});
  };
  return routes_[route] = {get(kServeDeploymentRequestCounter), get(kServeDeploymentErrorCounter),
                           get(kServeDeploymentProcessingLatency)};
}

void EngineObserver::OnState(std::string_view state) {
  const size_t current = IndexOf(kModelStates, state);
  for (size_t i = 0; i < states_.size(); ++i) SetGauge(states_[i], i == current ? 1 : 0);
}

void EngineObserver::SetGauge(Metric* gauge, double value) {
  if (owns_gauges_) registry_->Set(gauge, value);
}

void EngineObserver::OnProcessStarted() { registry_->Add(starts_); }

// An engine whose process is gone holds no weights: vLLM's deepest sleep.
void EngineObserver::SetSleepState(bool awake) {
  SetGauge(sleep_states_[0], awake ? 1 : 0);
  SetGauge(sleep_states_[1], 0);
  SetGauge(sleep_states_[2], awake ? 0 : 1);
}

void EngineObserver::SetReadyFacts(const protocol::Ready& ready) {
  using enum MetricId;
  const int64_t kv_tokens = int64_t{ready.num_blocks} * ready.block_size;
  const double concurrency =
      ready.max_model_len == 0 ? 0 : static_cast<double>(kv_tokens) / ready.max_model_len;
  Metric* const info =
      registry_->Get(kCacheConfigInfo, {model_name_, engine_, std::to_string(ready.block_size),
                                        ready.kv_cache_dtype, std::to_string(ready.num_blocks), "0",
                                        PythonBool(ready.enable_prefix_caching), "None", "None",
                                        std::to_string(kv_tokens), TwoDigits(concurrency)});
  registry_->SetExposed(info, true);
  registry_->Set(info, 1);
  ready_facts_.push_back(info);
}

void EngineObserver::OnReady(const protocol::Ready& ready) {
  using enum MetricId;
  const auto bounds = TokenBuckets(ready.max_model_len);
  request_prompt_tokens_ = Engine(kRequestPromptTokens, bounds);
  request_generation_tokens_ = Engine(kRequestGenerationTokens, bounds);
  max_generation_tokens_ = Engine(kRequestMaxNumGenerationTokens, bounds);
  params_max_tokens_ = Engine(kRequestParamsMaxTokens, bounds);
  prefill_computed_tokens_ = Engine(kRequestPrefillKvComputedTokens, bounds);

  if (owns_gauges_) SetReadyFacts(ready);
  SetSleepState(true);
  holds_model_ = true;
  SetGauge(models_held_, 1);
  SetGauge(model_id_held_, 1);
  registry_->Add(loads_);
  registry_->Observe(load_ms_, ready.load_time_s * 1000);
}

void EngineObserver::OnAccepted(uint64_t request_id, const RequestFacts& facts,
                                int num_prompt_tokens) {
  requests_[request_id] = {facts, num_prompt_tokens, 0, 0};
  if (facts.num_requeues == 0) registry_->Add(model_requests_);
}

void EngineObserver::OnRefused(const RequestFacts& facts) {
  const Route& route = RouteOf(facts.route);
  registry_->Add(model_requests_);
  registry_->Add(route.requests);
  registry_->Observe(route.latency_ms, (MonotonicSeconds() - facts.submit_time_s) * 1000);
}

void EngineObserver::OnFirstToken(RequestState& request, const protocol::RequestDelta& delta,
                                  double now_s) {
  const double ttft_s = now_s - request.facts.arrival_time_s;
  request.first_token_time_s = now_s;
  registry_->Observe(ttft_, ttft_s, request.facts.http_request_id);
  registry_->Observe(fine_ttft_, ttft_s, request.facts.http_request_id);
  registry_->Add(prompt_tokens_, request.num_prompt_tokens);
  registry_->Add(prompt_tokens_cached_, delta.num_cached_tokens);
  registry_->Add(prompt_tokens_by_source_[0], request.num_prompt_tokens - delta.num_cached_tokens);
  registry_->Add(prompt_tokens_by_source_[1], delta.num_cached_tokens);
}

void EngineObserver::OnDelta(const protocol::RequestDelta& delta, double step_time_s,
                             double now_s) {
  const auto it = requests_.find(delta.request_id);
  if (it == requests_.end() || delta.token_ids.empty()) return;
  RequestState& request = it->second;
  if (request.last_token_time_s == 0) {
    OnFirstToken(request, delta, now_s);
  } else {
    registry_->Observe(itl_, step_time_s - request.last_token_time_s);
    registry_->Observe(fine_itl_, step_time_s - request.last_token_time_s);
  }
  request.last_token_time_s = step_time_s;
}

void EngineObserver::CountEnd(const RequestFacts& facts, std::string_view finish_reason,
                              double now_s) {
  registry_->Add(finished_[IndexOf(kFinishReasons, finish_reason)]);
  const Route& route = RouteOf(facts.route);
  registry_->Add(route.requests);
  if (finish_reason == "error") registry_->Add(route.errors);
  registry_->Observe(route.latency_ms, (now_s - facts.submit_time_s) * 1000);
}

void EngineObserver::ObservePhases(const protocol::FinishedRequest& finished,
                                   const std::string& exemplar) {
  if (finished.scheduled_time_s > 0) {
    registry_->Observe(queue_, finished.scheduled_time_s - finished.queued_time_s, exemplar);
  }
  if (finished.first_token_time_s == 0) return;
  const double decode_s = finished.last_token_time_s - finished.first_token_time_s;
  const int intervals = finished.num_generation_tokens - 1;
  const double tpot_s = intervals > 0 ? decode_s / intervals : 0;
  registry_->Observe(prefill_, finished.first_token_time_s - finished.scheduled_time_s);
  registry_->Observe(decode_, decode_s);
  registry_->Observe(inference_, finished.last_token_time_s - finished.scheduled_time_s);
  registry_->Observe(tpot_, tpot_s, exemplar);
  registry_->Observe(fine_tpot_, tpot_s, exemplar);
}

void EngineObserver::ObserveLengths(const protocol::FinishedRequest& finished,
                                    const RequestFacts& facts) {
  registry_->Observe(params_n_, 1);
  registry_->Observe(num_preemptions_, finished.num_preemptions);
  if (request_prompt_tokens_ == nullptr) return;  // an engine that finishes before it is ready
  registry_->Observe(request_prompt_tokens_, finished.num_prompt_tokens);
  registry_->Observe(request_generation_tokens_, finished.num_generation_tokens);
  registry_->Observe(max_generation_tokens_, finished.num_generation_tokens);
  if (finished.first_token_time_s > 0) {
    registry_->Observe(prefill_computed_tokens_,
                       finished.num_prompt_tokens - finished.num_cached_tokens);
  }
  if (facts.max_tokens.value_or(0) > 0) registry_->Observe(params_max_tokens_, *facts.max_tokens);
}

void EngineObserver::Judge(const RequestState& request, const protocol::FinishedRequest& finished,
                           double e2e_s) {
  if (finished.finish_reason != "stop" && finished.finish_reason != "length") return;
  const int intervals = finished.num_generation_tokens - 1;
  const double decode_s = finished.last_token_time_s - finished.first_token_time_s;
  slo_->OnAnswered({.ttft_s = request.first_token_time_s - request.facts.arrival_time_s,
                    .tpot_s = intervals > 0 ? decode_s / intervals : 0,
                    .e2e_s = e2e_s});
}

void EngineObserver::OnFinished(const protocol::FinishedRequest& finished, double now_s) {
  const auto it = requests_.find(finished.request_id);
  if (it == requests_.end()) return;
  const RequestState request = std::move(it->second);
  requests_.erase(it);
  const double e2e_s = now_s - request.facts.arrival_time_s;
  registry_->Observe(e2e_, e2e_s, request.facts.http_request_id);
  registry_->Observe(fine_e2e_, e2e_s, request.facts.http_request_id);
  CountEnd(request.facts, finished.finish_reason, now_s);
  ObservePhases(finished, request.facts.http_request_id);
  ObserveLengths(finished, request.facts);
  Judge(request, finished, e2e_s);
}

void EngineObserver::OnStep(const protocol::StepOutput& output, double now_s) {
  const protocol::StepStats& stats = output.stats;
  SetGauge(running_, stats.num_requests_running);
  SetGauge(waiting_, stats.num_requests_waiting);
  SetGauge(waiting_by_reason_[0], stats.num_requests_waiting);  // nothing is ever deferred
  SetGauge(kv_usage_, stats.num_blocks_total == 0
                          ? 0
                          : static_cast<double>(stats.num_blocks_used) / stats.num_blocks_total);
  registry_->Add(generation_tokens_, stats.num_generation_tokens);
  registry_->Add(preemptions_, stats.num_preemptions);
  registry_->Add(prefix_queries_, stats.prefix_cache_queries);
  registry_->Add(prefix_hits_, stats.prefix_cache_hits);
  registry_->Add(flops_, stats.estimated_flops);
  registry_->Add(read_bytes_, stats.estimated_read_bytes);
  registry_->Add(write_bytes_, stats.estimated_write_bytes);
  const int tokens = stats.num_prompt_tokens + stats.num_generation_tokens;
  if (tokens > 0) {
    registry_->Observe(iteration_tokens_, tokens);
    registry_->Observe(batch_size_, stats.num_sequences);
  }
  for (const auto& delta : output.deltas) OnDelta(delta, stats.time_s, now_s);
  for (const auto& finished : output.finished) OnFinished(finished, now_s);
}

void EngineObserver::OnEngineGone(double unload_s) {
  const double now_s = MonotonicSeconds();
  for (const auto& [request_id, request] : requests_) {
    const bool is_placed_anew =
        unload_s == 0 && request.first_token_time_s == 0 && request.facts.num_requeues == 0;
    if (!is_placed_anew) CountEnd(request.facts, "error", now_s);
  }
  requests_.clear();
  WithdrawGauges();
  if (std::exchange(holds_model_, false)) {
    registry_->Add(unloads_);
    registry_->Observe(unload_ms_, unload_s * 1000);
  }
}

void EngineObserver::WithdrawGauges() {
  for (Metric* const gauge :
       {running_, waiting_, waiting_by_reason_[0], kv_usage_, models_held_, model_id_held_}) {
    SetGauge(gauge, 0);
  }
  SetSleepState(false);
  for (Metric* const fact : ready_facts_) registry_->SetExposed(fact, false);
  ready_facts_.clear();
}

void EngineObserver::HandGaugesOver() {
  WithdrawGauges();
  owns_gauges_ = false;
}

void EngineObserver::OnRestart() { registry_->Add(restarts_); }

void EngineObserver::OnCrash(std::string_view reason) {
  registry_->Add(crashes_[IndexOf(kCrashReasons, reason)]);
}

void EngineObserver::OnStall() { registry_->Add(stalls_); }

void EngineObserver::OnDegraded(bool degraded) { SetGauge(degraded_, degraded ? 1 : 0); }

}  // namespace hearth::metrics
