// From a configuration to what the model manager is told, and what changes between two of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "firmware/config/model_config.h"
#include "firmware/models/model_manager.h"

namespace hearth::apply {

// One model as it is configured, and as it is run.
struct ServedModel {
  config::LlmConfig config;
  std::string directory;  // where the model lies
  models::ModelOptions options;

  const std::string& name() const { return config.model_loading_config.model_id; }
};

// The directory that `source` means: an absolute path, <models_directory>/<source>, or its snapshot
// in Hugging Face's cache layout there. kNotFound names every place that was looked at.
Result<std::string> FindModel(const std::string& source, const std::string& models_directory);

// How long its requests may run on where its engine has to go before another one starts.
double DrainTimeoutS(const models::ModelOptions& options, double box_drain_timeout_s);

// `directory`: where the model lies.
models::ModelOptions ToModelOptions(const config::LlmConfig& config, const std::string& directory);

struct Change {
  enum class Kind { kSame, kLive, kReplace, kAdd, kRemove };

  Kind kind = Kind::kSame;
  std::string model_name;
  std::vector<std::string> fields;    // paths in LLMConfig that differ; empty for add and remove
  std::optional<ServedModel> before;  // absent for add
  std::optional<ServedModel> after;   // absent for remove
};
bool StartsEngine(const Change& change);       // it adds or replaces one
// Its engine loads, answers a probe and ends again: the model begins asleep, and does not serve now.
bool IsTriedOnly(const Change& change, const models::ModelManager& models);
std::string_view KindName(Change::Kind kind);  // "same", "live", "replace", "add", "remove"

// In the order of `after`, then what goes.
std::vector<Change> PlanChanges(const std::vector<ServedModel>& before,
                                const std::vector<ServedModel>& after);

// The same with the sides swapped: how to go back.
std::vector<Change> Reversed(const std::vector<Change>& changes);

Json ToJson(const std::vector<Change>& changes);  // [{"model", "kind", "fields"}]

}  // namespace hearth::apply
