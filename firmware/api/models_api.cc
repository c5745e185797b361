#include "firmware/api/models_api.h"

#include <filesystem>
#include <string>

#include "base/json.h"

namespace hearth::api {
namespace {

// How long a model that is unloaded waits for its requests.
constexpr double kUnloadDrainS = 30;

Status WrongField(const std::string& name, const std::string& expected, const Json& value) {
  return InvalidArgument("the field '" + name + "' must be " + expected + ", not " +
                         DumpJson(value));
}

// {"ttft_ms": 2000, "tpot_ms": 200, "e2e_ms": null}; null: no target, absent: as it is.
Status ReadSlo(const Json& json, metrics::SloTargets& slo) {
  if (!json.is_object()) return WrongField("slo", "an object", json);
  for (const auto& [name, value] : json.items()) {
    std::optional<double>* target = nullptr;
    if (name == "ttft_ms") target = &slo.ttft_s;
    if (name == "tpot_ms") target = &slo.tpot_s;
    if (name == "e2e_ms") target = &slo.e2e_s;
    if (target == nullptr) {
      return InvalidArgument("slo has no field '" + name +
                             "'; it may have ttft_ms, tpot_ms and e2e_ms");
    }
    if (value.is_null()) {
      target->reset();
    } else if (value.is_number() && value.get<double>() > 0) {
      *target = value.get<double>() / 1000;
    } else {
      return WrongField("slo." + name, "a number of milliseconds above 0, or null", value);
    }
  }
  return Status::Ok();
}

// The fields of a model that may change while it serves.
struct Changes {
  std::optional<bool> log_engine_metrics;
  std::optional<metrics::SloTargets> slo;
};

// Reads what `object` changes; a field that is neither of these nor in `others` is an error.
Status ReadChanges(const Json& object, const metrics::SloTargets& slo,
                   std::initializer_list<std::string_view> others, Changes& changes) {
  for (const auto& [name, value] : object.items()) {
    if (name == "log_engine_metrics") {
      if (!value.is_boolean()) return WrongField(name, "true or false", value);
      changes.log_engine_metrics = value.get<bool>();
    } else if (name == "slo") {
      changes.slo = slo;
      HEARTH_RETURN_IF_ERROR(ReadSlo(value, *changes.slo));
    } else if (std::find(others.begin(), others.end(), name) == others.end()) {
      return InvalidArgument("a model has no field '" + name + "' that can be set here");
    }
  }
  return Status::Ok();
}

Result<Json> ReadObject(const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(Json json, ParseJson(request.body));
  if (!json.is_object()) return InvalidArgument("the body must be a JSON object");
  return json;
}

Status Load(models::ModelManager& models, models::ModelOptions options,
            const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Json json, ReadObject(request));
  Changes changes;
  HEARTH_RETURN_IF_ERROR(ReadChanges(json, options.slo, {"model_name", "model"}, changes));
  if (!json.contains("model") || !json["model"].is_string()) {
    return InvalidArgument("the field 'model' must name a model directory of this box");
  }
  options.load.model = json["model"].get<std::string>();
  if (!std::filesystem::path(options.load.model).is_absolute()) {
    return InvalidArgument("the field 'model' must be an absolute path, not '" +
                           options.load.model + "'");
  }
  options.load.served_model_name = models::NameOfDirectory(options.load.model);
  if (json.contains("model_name")) {
    if (!json["model_name"].is_string() || json["model_name"].get<std::string>().empty()) {
      return WrongField("model_name", "a name", json["model_name"]);
    }
    options.load.served_model_name = json["model_name"].get<std::string>();
  }
  options.log_engine_metrics = changes.log_engine_metrics.value_or(true);
  options.slo = changes.slo.value_or(options.slo);
  return models.Serve(std::move(options));
}

Status Change(models::ModelManager& models, const http::Request& request) {
  const std::string& name = request.path_parameters.at(0);
  metrics::SloTargets slo;
  bool is_known = false;
  for (const auto& status : models.Statuses()) {
    if (status.model_name != name) continue;
    slo = status.slo;
    is_known = true;
  }
  if (!is_known) return NotFound("there is no model '" + name + "' on this box");
  HEARTH_ASSIGN_OR_RETURN(const Json json, ReadObject(request));
  Changes changes;
  HEARTH_RETURN_IF_ERROR(ReadChanges(json, slo, {}, changes));
  if (changes.slo) HEARTH_RETURN_IF_ERROR(models.SetSloTargets(name, *changes.slo));
  if (changes.log_engine_metrics) {
    HEARTH_RETURN_IF_ERROR(models.SetLogEngineMetrics(name, *changes.log_engine_metrics));
  }
  return Status::Ok();
}

void Answer(http::Response& response, int http_status, const Status& status) {
  if (!status.ok()) return http::SendStatus(response, status);
  response.Send(http_status, "application/json", "{}");
}

}  // namespace

std::vector<http::Route> ModelsRoutes(models::ModelManager* models,
                                      const models::ModelOptions& defaults) {
  return {
      {"POST", "/api/models", http::Scope::kAdmin,
       [=](const http::Request& request, http::Response& response) {
         Answer(response, 202, Load(*models, defaults, request));
       }},
      {"PATCH", "/api/models/{*}", http::Scope::kAdmin,
       [=](const http::Request& request, http::Response& response) {
         Answer(response, 200, Change(*models, request));
       }},
      {"DELETE", "/api/models/{*}", http::Scope::kAdmin,
       [=](const http::Request& request, http::Response& response) {
         Answer(response, 200, models->Unload(request.path_parameters.at(0), kUnloadDrainS));
       }},
  };
}

}  // namespace hearth::api
