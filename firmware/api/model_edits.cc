#include "firmware/api/model_edits.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "firmware/library/names.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {
namespace {

constexpr std::string_view kObjectives[] = {"ttft_ms", "tpot_ms", "e2e_ms"};

Status WrongField(const std::string& name, const std::string& expected, const Json& value) {
  return InvalidArgument("the field '" + name + "' must be " + expected + ", not " +
                         DumpJson(value));
}

// experimental_configs is Ray's place for what is not Ray's; 0 is its "none".
Status SetObjectives(const Json& slo, Json& config) {
  if (!slo.is_object()) return WrongField("slo", "an object", slo);
  for (const auto& [name, value] : slo.items()) {
    if (std::find(std::begin(kObjectives), std::end(kObjectives), name) == std::end(kObjectives)) {
      return InvalidArgument("slo has no field '" + name +
                             "'; it may have ttft_ms, tpot_ms and e2e_ms");
    }
    if (!value.is_null() && (!value.is_number() || value.get<double>() <= 0)) {
      return WrongField("slo." + name, "a number of milliseconds above 0, or null", value);
    }
    config["experimental_configs"]["slo_" + name] = value.is_null() ? Json(0) : value;
  }
  return Status::Ok();
}

// others: fields of the body that somebody else reads.
Status SetFields(const Json& body, std::initializer_list<std::string_view> others, Json& config) {
  if (!body.is_object()) return InvalidArgument("a model must be a JSON object");
  for (const auto& [name, value] : body.items()) {
    if (name == "log_engine_metrics") {
      if (!value.is_boolean()) return WrongField(name, "true or false", value);
      config[name] = value;
    } else if (name == "slo") {
      HEARTH_RETURN_IF_ERROR(SetObjectives(value, config));
    } else if (std::find(others.begin(), others.end(), name) == others.end()) {
      return InvalidArgument("a model has no field '" + name + "' that can be set here");
    }
  }
  return Status::Ok();
}

Json::iterator FindModel(const std::string& model_name, Json& normal) {
  Json& configs = normal["llm_configs"];
  return std::find_if(configs.begin(), configs.end(), [&](const Json& config) {
    return config["model_loading_config"]["model_id"] == model_name;
  });
}

Status NoSuchModel(const std::string& model_name) {
  return NotFound("there is no model '" + model_name + "' on this box");
}

}  // namespace

Status AddModel(const Json& body, Json& normal) {
  Json& configs = normal["llm_configs"];
  Json config = configs.empty() ? Json::object() : configs[0];
  config.erase("log_engine_metrics");
  if (config.contains("engine_kwargs")) config["engine_kwargs"].erase("served_model_name");
  HEARTH_RETURN_IF_ERROR(SetFields(body, {"model", "model_name"}, config));
  const auto model = body.find("model");
  if (model == body.end() || !model->is_string()) {
    return InvalidArgument("the field 'model' must name a model directory of this box");
  }
  const std::string directory = model->get<std::string>();
  const bool is_path = std::filesystem::path(directory).is_absolute();
  if (!is_path && !library::CheckModelId(directory).ok()) {
    return InvalidArgument("the field 'model' must be an absolute path or the id of a model of the "
                           "library, not '" + directory + "'");
  }
  const Json name =
      body.value("model_name", Json(is_path ? models::NameOfDirectory(directory) : directory));
  if (!name.is_string() || name.get<std::string>().empty()) {
    return WrongField("model_name", "a name", name);
  }
  if (FindModel(name.get<std::string>(), normal) != configs.end()) {
    return FailedPrecondition("the model '" + name.get<std::string>() +
                              "' is served already; remove it first, or name this one otherwise");
  }
  config["model_loading_config"] = Json{{"model_id", name}, {"model_source", directory}};
  configs.push_back(std::move(config));
  return Status::Ok();
}

Status ChangeModel(const std::string& model_name, const Json& body, Json& normal) {
  const auto config = FindModel(model_name, normal);
  if (config == normal["llm_configs"].end()) return NoSuchModel(model_name);
  return SetFields(body, {}, *config);
}

Status RemoveModel(const std::string& model_name, Json& normal) {
  const auto config = FindModel(model_name, normal);
  if (config == normal["llm_configs"].end()) return NoSuchModel(model_name);
  normal["llm_configs"].erase(config);
  return Status::Ok();
}

bool IsKeptModels(const std::string& document) {
  const auto json = ParseJson(document);
  return json.ok() && json->is_object() && json->size() == 1 && json->contains("models") &&
         (*json)["models"].is_object();
}

Result<Json> WithKeptModels(const std::string& kept, Json seed_normal) {
  HEARTH_ASSIGN_OR_RETURN(const Json json, ParseJson(kept));
  if (!IsKeptModels(kept)) return InvalidArgument("the document has no object 'models'");
  for (const auto& [name, entry] : json["models"].items()) {
    if (!entry.is_object()) return InvalidArgument("the model '" + name + "' must be an object");
    Json body = entry;
    const bool is_added = body.contains("model");
    if (FindModel(name, seed_normal) != seed_normal["llm_configs"].end()) {
      body.erase("model");
      HEARTH_RETURN_IF_ERROR(ChangeModel(name, body, seed_normal));
    } else if (is_added) {
      body["model_name"] = name;
      HEARTH_RETURN_IF_ERROR(AddModel(body, seed_normal));
    }
  }
  return seed_normal;
}

}  // namespace hearth::api
