#include "firmware/api/readiness.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace hearth::api {
namespace {

using models::ReplicaState;

// From what is nobody's concern to what needs a person.
constexpr std::array<std::string_view, 7> kByGravity = {
    "ready", "loading", "degraded", "restarting", "stalled", "failed", "recovery"};

size_t GravityOf(std::string_view state) {
  return static_cast<size_t>(std::find(kByGravity.begin(), kByGravity.end(), state) -
                             kByGravity.begin());
}

std::string_view StateOf(const models::ReplicaStatus& replica) {
  const bool runs = replica.state != ReplicaState::kFailed &&
                    replica.state != ReplicaState::kStopped && replica.engine_pid > 0;
  if (runs && replica.seems_stalled) return "stalled";
  if (replica.state == ReplicaState::kStopped) return "ready";
  return models::StateName(replica.state);
}

}  // namespace

Readiness ReadinessOf(const std::vector<models::ModelStatus>& models,
                      const std::string& recovery) {
  Readiness readiness;
  std::string_view gravest = recovery.empty() ? "ready" : "recovery";
  for (const models::ModelStatus& model : models) {
    // A request wakes it.
    const std::string_view state = model.is_asleep ? "ready" : StateOf(model.replica);
    readiness.models[model.model_name] = state;
    if (GravityOf(state) > GravityOf(gravest)) gravest = state;
  }
  readiness.is_ready = gravest == "ready";
  if (!readiness.is_ready) readiness.reason = gravest;
  return readiness;
}

Json ToJson(const Readiness& readiness) {
  Json models = Json::object();
  for (const auto& [name, state] : readiness.models) models[name] = state;
  return Json{{"status", readiness.is_ready ? "ready" : "not_ready"},
              {"reason", readiness.reason},
              {"models", std::move(models)}};
}

}  // namespace hearth::api
