#include "firmware/model_events.h"

#include <utility>

namespace hearth {

using models::ModelStatus;
using models::ReplicaState;

void ModelEvents::Add(const char* kind, const std::string& text) {
  history_->AddEvent({clock_->WallMillis(), kind, text});
}

void ModelEvents::Update(const std::vector<ModelStatus>& models) {
  std::map<std::string, Seen> before = std::exchange(seen_, {});
  for (const ModelStatus& model : models) {
    const models::ReplicaStatus& now = model.replica;
    const std::string& name = model.model_name;
    const Seen was = before[name];
    Seen is{now.state, {}, model.log_engine_metrics, true};
    bool has_crashed = false;
    for (const models::ReplicaView& replica : model.replicas) {
      const auto before_it = was.replicas.find(replica.index);
      const Seen::Replica old =
          before_it == was.replicas.end() ? Seen::Replica() : before_it->second;
      const Seen::Replica is_now{replica.status.restarts, replica.status.stalls,
                                 replica.status.safe_mode};
      is.replicas[replica.index] = is_now;
      if (is_now.stalls > old.stalls) {
        Add("engine_stalled", "the engine of " + name + " did not get on and was killed");
      }
      if (is_now.restarts > old.restarts) {
        has_crashed = true;
        const std::string& message = replica.status.message;
        Add("engine_crashed",
            "the engine of " + name + " ended" + (message.empty() ? "" : ": " + message));
      }
      if (is_now.safe_mode && !old.safe_mode) {
        Add("engine_degraded", "the engine of " + name + " kept ending and runs in safe mode");
      }
    }
    if (models::Serves(now.state) && (!models::Serves(was.state) || has_crashed)) {
      Add("model_loaded", name + " is ready");
    }
    if (now.state == ReplicaState::kFailed && was.state != ReplicaState::kFailed) {
      Add("model_failed", name + " cannot be served: " + now.message);
    }
    if (was.is_known && was.log_engine_metrics != model.log_engine_metrics) {
      Add("config_applied",
          "log_engine_metrics of " + name + " is " + (model.log_engine_metrics ? "true" : "false"));
    }
    seen_[name] = std::move(is);
  }
  for (const auto& [name, was] : before) {
    if (was.is_known && !seen_.contains(name)) Add("model_removed", name + " is no longer served");
  }
}

}  // namespace hearth
