#include "firmware/metrics/observer.h"

#include <algorithm>
#include <random>

#include "base/check.h"

namespace hearth::metrics {
namespace {

// Ray gives every worker process its own id; dashboards join on it, and `delta()` over a restart is only
// right when the id is new.
std::string NewWorkerId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 7; ++i) {
    char part[9];
    std::snprintf(part, sizeof part, "%08x", random());
    id += part;
  }
  return id;  // 56 hexadecimal digits, as Ray's
}

size_t IndexOf(std::span<const std::string_view> names, std::string_view name) {
  const auto it = std::find(names.begin(), names.end(), name);
  CHECK(it != names.end()) << name;
  return static_cast<size_t>(it - names.begin());
}

}  // namespace

Metric* EngineObserver::Engine(MetricId id, std::span<const double> bounds) {
  return registry_->Get(id, {model_name_, engine_}, bounds);
}

EngineObserver::EngineObserver(Registry* registry, std::string model_name, std::string engine)
    : registry_(registry), model_name_(std::move(model_name)), engine_(std::move(engine)) {
  using enum MetricId;
  running_ = Engine(kNumRequestsRunning);
  waiting_ = Engine(kNumRequestsWaiting);
  kv_usage_ = Engine(kKvCacheUsage);
  prefix_queries_ = Engine(kPrefixCacheQueries);
  prefix_hits_ = Engine(kPrefixCacheHits);
  preemptions_ = Engine(kNumPreemptions);
  prompt_tokens_ = Engine(kPromptTokens);
  generation_tokens_ = Engine(kGenerationTokens);
  iteration_tokens_ = Engine(kIterationTokens);
  ttft_ = Engine(kTimeToFirstToken);
  itl_ = Engine(kInterTokenLatency);
  tpot_ = Engine(kRequestTimePerOutputToken);
  e2e_ = Engine(kE2eRequestLatency);
  queue_ = Engine(kRequestQueueTime);
  inference_ = Engine(kRequestInferenceTime);
  prefill_ = Engine(kRequestPrefillTime);
  decode_ = Engine(kRequestDecodeTime);
  for (size_t i = 0; i < finished_.size(); ++i) {
    finished_[i] =
        registry_->Get(kRequestSuccess, {model_name_, engine_, std::string(kFinishReasons[i])});
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i] = registry_->Get(kModelState, {model_name_, std::string(kModelStates[i])});
  }
  restarts_ = registry_->Get(kEngineRestarts, {model_name_});
  const std::string deployment = "LLMServer:" + model_name_;
  ray_requests_ =
      registry_->Get(kRayServeDeploymentRequestCounter,
                     {"default", deployment, model_name_, deployment + "#" + engine_, "/v1",
                      NewWorkerId()});
}

void EngineObserver::OnState(std::string_view state) {
  const size_t current = IndexOf(kModelStates, state);
  for (size_t i = 0; i < states_.size(); ++i) registry_->Set(states_[i], i == current ? 1 : 0);
}

void EngineObserver::OnReady(const protocol::Ready& ready) {
  using enum MetricId;
  const auto bounds = TokenBuckets(ready.max_model_len);
  request_prompt_tokens_ = Engine(kRequestPromptTokens, bounds);
  request_generation_tokens_ = Engine(kRequestGenerationTokens, bounds);
  registry_->Set(registry_->Get(kModelWeightBytes, {model_name_}),
                 static_cast<double>(ready.weight_bytes));
  registry_->Set(registry_->Get(kKvCacheCapacityTokens, {model_name_}),
                 static_cast<double>(ready.num_blocks) * ready.block_size);
  registry_->Set(registry_->Get(kKvCacheCapacityBytes, {model_name_}),
                 static_cast<double>(ready.kv_cache_bytes));
}

void EngineObserver::OnAccepted(uint64_t request_id, double arrival_time_s, int num_prompt_tokens) {
  requests_[request_id] = {arrival_time_s, 0, num_prompt_tokens};
}

void EngineObserver::OnDelta(const protocol::RequestDelta& delta, double step_time_s, double now_s) {
  const auto it = requests_.find(delta.request_id);
  if (it == requests_.end() || delta.token_ids.empty()) return;
  RequestState& request = it->second;
  if (request.last_token_time_s == 0) {
    registry_->Observe(ttft_, now_s - request.arrival_time_s);
    registry_->Add(prompt_tokens_, request.num_prompt_tokens);
  } else {
    registry_->Observe(itl_, step_time_s - request.last_token_time_s);
  }
  request.last_token_time_s = step_time_s;
}

void EngineObserver::CountFinish(std::string_view finish_reason) {
  registry_->Add(finished_[IndexOf(kFinishReasons, finish_reason)]);
  registry_->Add(ray_requests_);
}

void EngineObserver::OnFinished(const protocol::FinishedRequest& finished, double now_s) {
  const auto it = requests_.find(finished.request_id);
  if (it == requests_.end()) return;
  registry_->Observe(e2e_, now_s - it->second.arrival_time_s);
  requests_.erase(it);
  CountFinish(finished.finish_reason);
  if (finished.scheduled_time_s > 0) {
    registry_->Observe(queue_, finished.scheduled_time_s - finished.queued_time_s);
  }
  if (finished.first_token_time_s > 0) {
    const double decode_s = finished.last_token_time_s - finished.first_token_time_s;
    registry_->Observe(prefill_, finished.first_token_time_s - finished.scheduled_time_s);
    registry_->Observe(decode_, decode_s);
    registry_->Observe(inference_, finished.last_token_time_s - finished.scheduled_time_s);
    const int intervals = finished.num_generation_tokens - 1;
    registry_->Observe(tpot_, intervals > 0 ? decode_s / intervals : 0);
  }
  if (request_prompt_tokens_ != nullptr) {
    registry_->Observe(request_prompt_tokens_, finished.num_prompt_tokens);
    registry_->Observe(request_generation_tokens_, finished.num_generation_tokens);
  }
}

void EngineObserver::OnStep(const protocol::StepOutput& output, double now_s) {
  const protocol::StepStats& stats = output.stats;
  registry_->Set(running_, stats.num_requests_running);
  registry_->Set(waiting_, stats.num_requests_waiting);
  registry_->Set(kv_usage_, stats.num_blocks_total == 0
                                ? 0
                                : static_cast<double>(stats.num_blocks_used) /
                                      stats.num_blocks_total);
  registry_->Add(generation_tokens_, stats.num_generation_tokens);
  registry_->Add(preemptions_, stats.num_preemptions);
  registry_->Add(prefix_queries_, stats.prefix_cache_queries);
  registry_->Add(prefix_hits_, stats.prefix_cache_hits);
  const int tokens = stats.num_prompt_tokens + stats.num_generation_tokens;
  if (tokens > 0) registry_->Observe(iteration_tokens_, tokens);
  for (const auto& delta : output.deltas) OnDelta(delta, stats.time_s, now_s);
  for (const auto& finished : output.finished) OnFinished(finished, now_s);
}

void EngineObserver::OnEngineGone() {
  for (size_t i = 0; i < requests_.size(); ++i) CountFinish("error");
  requests_.clear();
  registry_->Set(running_, 0);
  registry_->Set(waiting_, 0);
  registry_->Set(kv_usage_, 0);
}

void EngineObserver::OnRestart() { registry_->Add(restarts_); }

void ServiceObserver::OnModelKnown(const std::string& model_name) {
  for (const std::string_view reason : kFailureReasons) {
    registry_->Get(MetricId::kRequestFailures, {model_name, std::string(reason)});
  }
}

void ServiceObserver::OnFailure(const std::string& model_name, std::string_view reason) {
  IndexOf(kFailureReasons, reason);
  registry_->Add(registry_->Get(MetricId::kRequestFailures, {model_name, std::string(reason)}));
}

void ServiceObserver::OnHttpRequest(std::string_view handler, std::string_view method, int status,
                                    double duration_s) {
  const std::string group = std::to_string(status / 100) + "xx";
  registry_->Add(registry_->Get(MetricId::kHttpRequests,
                                {std::string(handler), std::string(method), group}));
  registry_->Observe(registry_->Get(MetricId::kHttpRequestDuration,
                                    {std::string(handler), std::string(method)}),
                     duration_s);
}

}  // namespace hearth::metrics
