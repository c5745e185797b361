// ModelObserver: what is true of a served model over all its replicas, and how many it has.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/protocol/messages.h"
#include "firmware/metrics/registry.h"

namespace hearth::metrics {

// What one pass over a model's replicas found.
struct ModelReading {
  std::string_view state;                // one of kModelStates
  std::vector<protocol::Ready> engines = {};  // those that hold the model
  double total_requests = 0;  // mean of those ongoing and waiting over look_back_period_s
  double delay_left_s = 0;    // until the number of replicas changes; 0: it does not
  bool is_prevented = false;  // there are fewer replicas than there shall be
};

// One call at a time. The children of a model exist from construction.
class ModelObserver {
 public:
  ModelObserver(Registry* registry, std::string model_name);

  void OnReading(const ModelReading& reading);
  void OnWakeBegun();
  void OnAwake(double duration_s);  // since the request that woke it
  void OnGaveWay();                 // to another model

 private:
  Metric* Model(MetricId id) { return registry_->Get(id, {model_name_}); }
  void SetFact(Metric* metric, double value);

  Registry* const registry_;
  const std::string model_name_;
  std::array<Metric*, std::size(kModelStates)> states_;
  Metric *const total_requests_, *const delay_left_, *const prevented_, *const wakes_,
                                                                            *const wake_duration_,
                                                                                *const evictions_;
  // What is only true while an engine holds the model: withdrawn when none does.
  std::vector<Metric*> facts_;
};

}  // namespace hearth::metrics
