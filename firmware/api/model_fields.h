// The fields of a model that people set, as JSON: in /api/models and in the kept configuration.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// Those that may change while the model serves.
struct ModelChanges {
  std::optional<bool> log_engine_metrics;
  std::optional<metrics::SloTargets> slo;

  void ApplyTo(models::ModelOptions& options) const;
};

// Reads {"log_engine_metrics": true, "slo": {"ttft_ms": 2000, "tpot_ms": 200, "e2e_ms": null}}. Of
// slo, null is no target and an absent one is as in `slo`. A field that is neither of these nor in
// `others` is an error.
Result<ModelChanges> ReadModelChanges(const Json& object, const metrics::SloTargets& slo,
                                      std::initializer_list<std::string_view> others);

// Adds to `object` what ReadModelChanges reads back as `changes`.
void WriteModelChanges(const ModelChanges& changes, Json& object);

}  // namespace hearth::api
