#include "firmware/api/models_api.h"

#include <filesystem>
#include <string>

#include "base/json.h"
#include "firmware/api/model_fields.h"

namespace hearth::api {
namespace {

// How long a model that is unloaded waits for its requests.
constexpr double kUnloadDrainS = 30;

// What a change did is told even where it could not be kept.
Status NotKept(const std::string& what, const Status& status) {
  if (status.ok()) return status;
  return status.WithContext(what + ", but a restart will not know it");
}

Result<Json> ReadObject(const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(Json json, ParseJson(request.body));
  if (!json.is_object()) return InvalidArgument("the body must be a JSON object");
  return json;
}

Result<models::ModelOptions> ReadModel(const Json& json, models::ModelOptions options) {
  HEARTH_ASSIGN_OR_RETURN(const ModelChanges changes,
                          ReadModelChanges(json, options.slo, {"model_name", "model"}));
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
      return InvalidArgument("the field 'model_name' must be a name, not " +
                             DumpJson(json["model_name"]));
    }
    options.load.served_model_name = json["model_name"].get<std::string>();
  }
  changes.ApplyTo(options);
  return options;
}

Status Load(models::ModelManager& models, KeptModels& kept, const models::ModelOptions& defaults,
            const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Json json, ReadObject(request));
  HEARTH_ASSIGN_OR_RETURN(const models::ModelOptions options, ReadModel(json, defaults));
  HEARTH_RETURN_IF_ERROR(models.Serve(options));
  return NotKept("the model '" + options.load.served_model_name + "' is loading",
                 kept.KeepAdded(options));
}

// First forgotten, then unloaded: who is killed meanwhile shall not serve it again.
Status Unload(models::ModelManager& models, KeptModels& kept, const http::Request& request) {
  const std::string& name = request.path_parameters.at(0);
  const Status forgotten = kept.Forget(name);
  HEARTH_RETURN_IF_ERROR(models.Unload(name, kUnloadDrainS));
  return NotKept("the model '" + name + "' is unloaded", forgotten);
}

Status Change(models::ModelManager& models, KeptModels& kept, const http::Request& request) {
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
  HEARTH_ASSIGN_OR_RETURN(const ModelChanges changes, ReadModelChanges(json, slo, {}));
  if (changes.slo) HEARTH_RETURN_IF_ERROR(models.SetSloTargets(name, *changes.slo));
  if (changes.log_engine_metrics) {
    HEARTH_RETURN_IF_ERROR(models.SetLogEngineMetrics(name, *changes.log_engine_metrics));
  }
  return NotKept("the model '" + name + "' is changed", kept.KeepSettings(name, changes));
}

void Answer(http::Response& response, int http_status, const Status& status) {
  if (!status.ok()) return http::SendStatus(response, status);
  response.Send(http_status, "application/json", "{}");
}

}  // namespace

std::vector<http::Route> ModelsRoutes(models::ModelManager* models, KeptModels* kept,
                                      const models::ModelOptions& defaults) {
  return {
      {"POST", "/api/models", http::Scope::kAdmin,
       [=](const http::Request& request, http::Response& response) {
         Answer(response, 202, Load(*models, *kept, defaults, request));
       }},
      {"PATCH", "/api/models/{*}", http::Scope::kAdmin,
       [=](const http::Request& request, http::Response& response) {
         Answer(response, 200, Change(*models, *kept, request));
       }},
      {"DELETE", "/api/models/{*}", http::Scope::kAdmin,
       [=](const http::Request& request, http::Response& response) {
         Answer(response, 200, Unload(*models, *kept, request));
       }},
  };
}

}  // namespace hearth::api
