#include "firmware/metrics/model_observer.h"

#include <utility>

namespace hearth::metrics {

using enum MetricId;

ModelObserver::ModelObserver(Registry* registry, std::string model_name)
    : registry_(registry),
      model_name_(std::move(model_name)),
      total_requests_(Model(kAutoscalingTotalRequests)),
      delay_left_(Model(kAutoscalingDelayLeft)),
      prevented_(Model(kAutoscalingPrevented)),
      wakes_(Model(kModelWakes)),
      wake_duration_(Model(kModelWakeDuration)),
      evictions_(Model(kModelEvictions)) {
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i] = registry_->Get(kModelState, {model_name_, std::string(kModelStates[i])});
  }
}

void ModelObserver::SetFact(Metric* metric, double value) {
  registry_->SetExposed(metric, true);
  registry_->Set(metric, value);
  facts_.push_back(metric);
}

void ModelObserver::OnReading(const ModelReading& reading) {
  for (size_t i = 0; i < states_.size(); ++i) {
    registry_->Set(states_[i], kModelStates[i] == reading.state ? 1 : 0);
  }
  registry_->Set(total_requests_, reading.total_requests);
  registry_->Set(delay_left_, reading.delay_left_s);
  registry_->Set(prevented_, reading.is_prevented ? 1 : 0);

  for (Metric* const fact : std::exchange(facts_, {})) registry_->SetExposed(fact, false);
  if (reading.engines.empty()) return;
  protocol::Ready all;  // the sums
  int64_t kv_tokens = 0;
  for (const protocol::Ready& engine : reading.engines) {
    all.weight_bytes += engine.weight_bytes;
    all.kv_cache_bytes += engine.kv_cache_bytes;
    all.workspace_bytes += engine.workspace_bytes;
    kv_tokens += int64_t{engine.num_blocks} * engine.block_size;
    SetFact(registry_->Get(kModelInfo, {model_name_, engine.architecture, engine.device,
                                        engine.device_name, engine.dtype}),
            1);
  }
  const auto memory = [&](std::string_view kind, int64_t bytes) {
    SetFact(registry_->Get(kModelMemoryBytes, {model_name_, std::string(kind)}),
            static_cast<double>(bytes));
  };
  memory("weights", all.weight_bytes);
  memory("kv_cache", all.kv_cache_bytes);
  memory("workspace", all.workspace_bytes);
  SetFact(Model(kKvCacheCapacityTokens), static_cast<double>(kv_tokens));
  SetFact(Model(kKvCacheCapacityBytes), static_cast<double>(all.kv_cache_bytes));
  SetFact(Model(kModelLoadTime), reading.engines.back().load_time_s);
}

void ModelObserver::OnWakeBegun() { registry_->Add(wakes_); }

void ModelObserver::OnAwake(double duration_s) { registry_->Observe(wake_duration_, duration_s); }

void ModelObserver::OnGaveWay() { registry_->Add(evictions_); }

}  // namespace hearth::metrics
