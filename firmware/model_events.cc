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
      const int restarts = replica.status.restarts;
      is.restarts[replica.index] = restarts;
      const auto before_it = was.restarts.find(replica.index);
      if (restarts <= (before_it == was.restarts.end() ? 0 : before_it->second)) continue;
      has_crashed = true;
      const std::string& message = replica.status.message;
      Add("engine_crashed",
          "the engine of " + name + " ended" + (message.empty() ? "" : ": " + message));
    }
    if (now.state == ReplicaState::kReady && (was.state != ReplicaState::kReady || has_crashed)) {
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
