#include "firmware/api/model_states_api.h"

#include <cmath>

#include "base/json.h"
#include "firmware/api/model_json.h"
#include "firmware/metrics/process_metrics.h"

namespace hearth::api {
namespace {

using models::ModelStatus;
using models::ReplicaView;
using models::ScaleDirection;

Json ReplicaJson(const ReplicaView& replica) {
  const auto& status = replica.status;
  const bool has_engine = status.engine_pid > 0;
  const bool is_ready = has_engine && models::Serves(status.state);
  const auto known = [&](int64_t bytes) { return is_ready ? Json(bytes) : Json(nullptr); };
  Json resident = nullptr;
  if (has_engine) {
    const auto process = metrics::ReadProcess(std::to_string(status.engine_pid));
    if (process.resident_bytes) resident = *process.resident_bytes;
  }
  return Json{{"index", replica.index},
              {"state", models::StateName(status.state)},
              {"phase", status.phase},
              {"progress", status.progress},
              {"message", status.message},
              {"engine_pid", status.engine_pid},
              {"num_ongoing", replica.num_ongoing},
              {"num_queued", replica.num_queued},
              {"restarts", status.restarts},
              {"started_ms", replica.started_ms},
              {"steps", status.steps},
              {"safe_mode", status.safe_mode},
              {"memory", Json{{"weights", known(status.ready.weight_bytes)},
                              {"kv_cache", known(status.ready.kv_cache_bytes)},
                              {"workspace", known(status.ready.workspace_bytes)},
                              {"resident", std::move(resident)}}},
              {"device", status.ready.device},
              {"device_name", status.ready.device_name}};
}

std::string_view DirectionName(ScaleDirection direction) {
  return direction == ScaleDirection::kUp     ? "up"
         : direction == ScaleDirection::kDown ? "down"
                                              : "none";
}

std::string Count(int replicas) {
  return std::to_string(replicas) + (replicas == 1 ? " replica" : " replicas");
}

std::string Tenths(double value) {
  std::string text = std::to_string(std::round(value * 10) / 10);
  return text.substr(0, text.find('.') + 2);
}

// What the autoscaler does and why, in one sentence.
std::string ScaleSentence(const ModelStatus& model) {
  const models::ScaleReport& scale = model.scale;
  const models::AutoscalingOptions& options = model.options.autoscaling;
  const models::ScaleDecision& decision = scale.decision;
  if (!scale.prevented_by.empty()) {
    return Count(model.target_replicas) + " wanted, and prevented: " + scale.prevented_by;
  }
  if (model.is_asleep) return "It sleeps; the next request loads it.";
  if (!model.options.autoscales)
    return "It has " + Count(options.min_replicas) + ", whatever the load.";
  const std::string load = Tenths(scale.requests) + " requests on average, " +
                           Tenths(options.target_ongoing_requests) + " wanted for each replica";
  if (decision.direction == ScaleDirection::kNone) {
    return load + ": it keeps " + Count(model.target_replicas) + ".";
  }
  // The last one goes alone.
  const int next = decision.direction == ScaleDirection::kDown && model.target_replicas > 1
                       ? std::max(1, decision.desired)
                       : decision.desired;
  return load + ": " + Count(next) + " in " +
         std::to_string(static_cast<int64_t>(std::ceil(decision.delay_left_s))) +
         " s, if it stays so.";
}

Json AutoscalingJson(const ModelStatus& model) {
  const models::AutoscalingOptions& options = model.options.autoscaling;
  const models::ScaleReport& scale = model.scale;
  int num_ready = 0;
  for (const ReplicaView& replica : model.replicas) {
    if (models::Serves(replica.status.state)) ++num_ready;
  }
  return Json{
      {"enabled", model.options.autoscales},
      {"min_replicas", options.min_replicas},
      {"max_replicas", options.max_replicas},
      {"effective_max_replicas",
       scale.prevented_by.empty() ? options.max_replicas : static_cast<int>(model.replicas.size())},
      {"current_replicas", num_ready},
      {"target_replicas", model.target_replicas},
      {"desired_replicas", scale.decision.desired},
      {"ongoing_requests", scale.requests},
      {"target_ongoing_requests", options.target_ongoing_requests},
      {"look_back_period_s", options.look_back_period_s},
      {"upscale_delay_s", options.upscale_delay_s},
      {"downscale_delay_s", options.downscale_delay_s},
      {"downscale_to_zero_delay_s", options.DelayToZeroS()},
      {"direction", DirectionName(scale.decision.direction)},
      {"delay_left_s", scale.decision.delay_left_s},
      {"prevented_by", scale.prevented_by},
      {"sentence", ScaleSentence(model)}};
}

// null: no engine has held it yet.
Json FactsJson(const protocol::Ready& ready) {
  if (ready.architecture.empty()) return nullptr;
  return Json{{"architecture", ready.architecture},
              {"dtype", ready.dtype},
              {"max_model_len", ready.max_model_len},
              {"num_parameters", ready.num_parameters},
              {"kv_cache_tokens", int64_t{ready.num_blocks} * ready.block_size},
              {"block_size", ready.block_size}};
}

Json ModelJson(const ModelStatus& model, const ModelStatesSource& source) {
  Json replicas = Json::array();
  for (const ReplicaView& replica : model.replicas) replicas.push_back(ReplicaJson(replica));
  return Json{{"model_name", model.model_name},
              {"aliases", model.options.aliases},
              {"path", model.path},
              {"source", source.source_of(model.model_name)},
              {"state", model.state},
              {"why", model.why},
              {"pinned", model.options.pinned || model.options.autoscaling.min_replicas > 0},
              {"log_engine_metrics", model.log_engine_metrics},
              {"num_ongoing", model.num_ongoing},
              {"num_waiting", model.num_waiting},
              {"last_used_ms", model.last_used_ms},
              {"max_ongoing_requests", model.options.max_ongoing_requests},
              {"max_queued_requests", model.options.max_queued_requests},
              {"replicas", std::move(replicas)},
              {"last_crash", CrashJson(model.replica.last_crash)},
              {"autoscaling", AutoscalingJson(model)},
              {"model", FactsJson(model.replica.ready)},
              {"slo", SloJson(model.slo)}};
}

void HandleList(const ModelStatesSource& source, http::Response& response) {
  Json list = Json::array();
  int64_t models_bytes = 0;
  for (const ModelStatus& model : source.models->Statuses()) {
    list.push_back(ModelJson(model, source));
    for (const ReplicaView& replica : model.replicas) {
      if (replica.status.engine_pid > 0)
        models_bytes += models::FootprintOf(replica.status.ready).total();
    }
  }
  const auto memory = source.memory();
  const auto known = [&](double bytes) { return memory ? Json(bytes) : Json(nullptr); };
  response.SetHeader("Cache-Control", "no-store");
  response.Send(
      200, "application/json",
      DumpJson(Json{{"models", std::move(list)},
                    {"memory", Json{{"total_bytes", known(memory ? memory->total_bytes : 0)},
                                    {"free_bytes", known(memory ? memory->free_bytes : 0)},
                                    {"limit_bytes", source.memory_limit_bytes},
                                    {"models_bytes", models_bytes}}}}));
}

void SendAccepted(http::Response& response, const Status& status) {
  if (!status.ok()) return http::SendStatus(response, status);
  response.Send(202, "application/json", "{}");
}

}  // namespace

std::vector<http::Route> ModelStatesRoutes(const ModelStatesSource& source) {
  using http::Request;
  using http::Response;
  return {{"GET", "/api/models", http::Scope::kAdmin,
           [=](const Request&, Response& response) { HandleList(source, response); }},
          {"POST", "/api/models/{*}/load", http::Scope::kAdmin,
           [=](const Request& request, Response& response) {
             SendAccepted(response, source.models->Wake(request.path_parameters.at(0)));
           }},
          {"POST", "/api/models/{*}/unload", http::Scope::kAdmin,
           [=](const Request& request, Response& response) {
             SendAccepted(response, source.models->Sleep(request.path_parameters.at(0)));
           }}};
}

}  // namespace hearth::api
