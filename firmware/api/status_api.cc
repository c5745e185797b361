#include "firmware/api/status_api.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/version.h"
#include "firmware/api/model_json.h"
#include "firmware/api/readiness.h"

namespace hearth::api {
namespace {

using models::ModelStatus;

// Why a model does not serve, in one sentence.
std::string WhyNotReady(const ModelStatus& model) {
  const auto& replica = model.replica;
  std::string text = "model '" + model.model_name + "' is " +
                     std::string(models::StateName(replica.state));
  if (!replica.message.empty()) return text + ": " + replica.message;
  if (!replica.phase.empty()) {
    text += " (" + replica.phase + ", " + std::to_string(static_cast<int>(replica.progress * 100)) +
            " %)";
  }
  return text;
}

void HandleHealth(const models::ModelManager& models, const apply::Applier& applier,
                  http::Response& response) {
  const std::string recovery = applier.recovery();
  std::string reasons = recovery.empty() ? "" : "recovery mode: " + recovery;
  for (const auto& model : models.Statuses()) {
    if (models::Serves(model.replica.state) || model.is_asleep) continue;
    reasons += (reasons.empty() ? "" : "; ") + WhyNotReady(model);
  }
  if (reasons.empty()) return response.Send(200, "application/json", "");
  http::SendError(response, 503, reasons);
}

void HandleReady(const models::ModelManager& models, const apply::Applier& applier,
                 http::Response& response) {
  const Readiness readiness = ReadinessOf(models.Statuses(), applier.recovery());
  response.SetHeader("Cache-Control", "no-store");
  if (!readiness.is_ready) response.SetHeader("Retry-After", "1");
  response.Send(readiness.is_ready ? 200 : 503, "application/json", DumpJson(ToJson(readiness)));
}

Json ModelJson(const ModelStatus& model) {
  const auto& replica = model.replica;
  const auto& ready = replica.ready;
  return Json{{"model_name", model.model_name},
              {"state", model.state},
              {"phase", replica.phase},
              {"progress", replica.progress},
              {"message", replica.message},
              {"restarts", replica.restarts},
              {"stalls", replica.stalls},
              {"safe_mode", replica.safe_mode},
              {"steps", replica.steps},
              {"last_crash", CrashJson(replica.last_crash)},
              {"engine_pid", replica.engine_pid},
              {"num_ongoing_requests", model.num_ongoing},
              {"log_engine_metrics", model.log_engine_metrics},
              {"slo", SloJson(model.slo)},
              {"architecture", ready.architecture},
              {"device", ready.device},
              {"device_name", ready.device_name},
              {"dtype", ready.dtype},
              {"max_model_len", ready.max_model_len},
              {"num_parameters", ready.num_parameters},
              {"weight_bytes", ready.weight_bytes},
              {"kv_cache_bytes", ready.kv_cache_bytes},
              {"kv_cache_tokens", int64_t{ready.num_blocks} * ready.block_size},
              {"load_time_s", ready.load_time_s}};
}

// The device of the first model that runs: what the page's banner speaks of.
Json DeviceJson(const std::vector<ModelStatus>& statuses) {
  for (const auto& model : statuses) {
    const auto& ready = model.replica.ready;
    if (!ready.device.empty()) return Json{{"kind", ready.device}, {"name", ready.device_name}};
  }
  return nullptr;
}

void HandleStatus(const models::ModelManager& models, const apply::Applier& applier,
                  double start_time_s, http::Response& response) {
  const std::string recovery = applier.recovery();
  const auto statuses = models.Statuses();
  Json list = Json::array();
  for (const auto& model : statuses) list.push_back(ModelJson(model));
  response.SetHeader("Cache-Control", "no-store");
  response.Send(200, "application/json",
                DumpJson(Json{{"version", kVersion},
                              {"start_time_s", start_time_s},
                              {"uptime_s", static_cast<double>(WallMillis()) / 1000 - start_time_s},
                              {"recovery", recovery.empty() ? Json() : Json{{"reason", recovery}}},
                              {"device", DeviceJson(statuses)},
                              {"models", std::move(list)}}));
}

}  // namespace

std::vector<http::Route> StatusRoutes(const models::ModelManager* models,
                                      const apply::Applier* applier, double start_time_s) {
  const auto pong = [](const http::Request&, http::Response& response) {
    response.Send(200, "application/json", "");
  };
  return {
      {"GET", "/health", http::Scope::kPublic,
       [=](const http::Request&, http::Response& response) {
         HandleHealth(*models, *applier, response);
       }},
      {"GET", "/health/live", http::Scope::kPublic,
       [](const http::Request&, http::Response& response) {
         response.Send(200, "application/json", DumpJson(Json{{"status", "live"}}));
       }},
      {"GET", "/health/ready", http::Scope::kPublic,
       [=](const http::Request&, http::Response& response) {
         HandleReady(*models, *applier, response);
       }},
      {"GET", "/ping", http::Scope::kPublic, pong},
      {"POST", "/ping", http::Scope::kPublic, pong},
      {"GET", "/version", http::Scope::kPublic,
       [](const http::Request&, http::Response& response) {
         response.Send(200, "application/json", DumpJson(Json{{"version", kVersion}}));
       }},
      {"GET", "/api/status", http::Scope::kPublic,
       [=](const http::Request&, http::Response& response) {
         HandleStatus(*models, *applier, start_time_s, response);
       }},
  };
}

}  // namespace hearth::api
