// Edits of the model configuration, as /api/models makes them: one model added, changed or removed.
// Pure; on the normal form of a configuration, {"llm_configs": [...]}.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace hearth::api {

// body: {"model": absolute directory, "model_name", "log_engine_metrics", "slo"}. What it does not
// say is as the first model has it. kInvalidArgument names the wrong field; kFailedPrecondition
// when a model of that name is there.
Status AddModel(const Json& body, Json& normal);

// body: {"log_engine_metrics", "slo": {"ttft_ms", "tpot_ms", "e2e_ms"}}; null is no objective.
// kNotFound without such a model.
Status ChangeModel(const std::string& model_name, const Json& body, Json& normal);

Status RemoveModel(const std::string& model_name, Json& normal);  // kNotFound without such a model

// The document that releases before revisions had an author kept for /api/models:
// {"models": {"llama": {"model": "/models/llama", "log_engine_metrics", "slo"}, "demo": {"slo"}}};
// an entry with "model" is one that was added, one without holds settings of another.
bool IsKeptModels(const std::string& document);
// What such a document and the seed of this start make together. The seed wins, as it did then.
Result<Json> WithKeptModels(const std::string& kept, Json seed_normal);

}  // namespace hearth::api
