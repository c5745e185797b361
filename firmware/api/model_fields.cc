#include "firmware/api/model_fields.h"

#include <algorithm>
#include <string>

namespace hearth::api {
namespace {

struct SloField {
  const char* name;
  std::optional<double> metrics::SloTargets::*target;
};
constexpr SloField kSloFields[] = {{"ttft_ms", &metrics::SloTargets::ttft_s},
                                   {"tpot_ms", &metrics::SloTargets::tpot_s},
                                   {"e2e_ms", &metrics::SloTargets::e2e_s}};

Status WrongField(const std::string& name, const std::string& expected, const Json& value) {
  return InvalidArgument("the field '" + name + "' must be " + expected + ", not " +
                         DumpJson(value));
}

Status ReadSlo(const Json& json, metrics::SloTargets& slo) {
  if (!json.is_object()) return WrongField("slo", "an object", json);
  for (const auto& [name, value] : json.items()) {
    const auto field = std::find_if(std::begin(kSloFields), std::end(kSloFields),
                                    [&](const SloField& f) { return name == f.name; });
    if (field == std::end(kSloFields)) {
      return InvalidArgument("slo has no field '" + name +
                             "'; it may have ttft_ms, tpot_ms and e2e_ms");
    }
    if (value.is_null()) {
      (slo.*field->target).reset();
    } else if (value.is_number() && value.get<double>() > 0) {
      slo.*field->target = value.get<double>() / 1000;
    } else {
      return WrongField("slo." + name, "a number of milliseconds above 0, or null", value);
    }
  }
  return Status::Ok();
}

}  // namespace

void ModelChanges::ApplyTo(models::ModelOptions& options) const {
  options.log_engine_metrics = log_engine_metrics.value_or(options.log_engine_metrics);
  options.slo = slo.value_or(options.slo);
}

Result<ModelChanges> ReadModelChanges(const Json& object, const metrics::SloTargets& slo,
                                      std::initializer_list<std::string_view> others) {
  ModelChanges changes;
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
  return changes;
}

void WriteModelChanges(const ModelChanges& changes, Json& object) {
  if (changes.log_engine_metrics) object["log_engine_metrics"] = *changes.log_engine_metrics;
  if (!changes.slo) return;
  Json& slo = object["slo"] = Json::object();
  for (const SloField& field : kSloFields) {
    const std::optional<double>& target = *changes.slo.*field.target;
    slo[field.name] = target ? Json(*target * 1000) : Json(nullptr);
  }
}

}  // namespace hearth::api
