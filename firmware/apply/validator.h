// Validator: what would come of a document on this box: its problems, what it would change, and
// whether that fits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/models/fit_estimate.h"
#include "firmware/apply/served_models.h"
#include "firmware/config/model_config.h"
#include "firmware/models/model_manager.h"

namespace hearth::apply {

struct ValidatorOptions {
  std::string engine_executable;
  std::string models_directory;
  int64_t memory_limit_bytes = 0;  // of the models together; 0: what is free
  double drain_timeout_s = 600;    // as ApplyTimes
};

struct Validated {
  config::CheckedModelConfig checked;  // its problems, those of this box too
  std::vector<ServedModel> models;     // when there is no error
  std::vector<Change> changes;         // from what serves
  // When an engine would be started. Of models that sleep it holds the one that needs most: they are
  // tried one at a time.
  std::optional<models::FitEstimate> fit;
  // Idle models that end first where everything does not fit beside them; their next request wakes them.
  std::vector<std::string> give_way;
};

// Any thread.
class Validator {
 public:
  // `models` outlives it.
  Validator(const models::ModelManager* models, ValidatorOptions options)
      : models_(models), options_(std::move(options)) {}

  // Asks an engine for its plan where one would be started: up to some seconds.
  Validated Validate(const std::string& document, const std::vector<ServedModel>& serving) const;
  // What would change from one text to the other; [] where one of them cannot be read.
  Json ChangesBetween(const std::string& before, const std::string& after) const;
  // What this box caps a configuration to.
  config::BoxFacts Facts() const;
  // A model that has vanished is served all the same: its state says what is wrong.
  ServedModel ToServe(const config::LlmConfig& llm_config) const;

 private:
  void Resolve(Validated& validated) const;
  models::FitEstimate Fit(Validated& validated) const;
  // What runs: with those that may give way to others going, or not.
  std::vector<models::RunningModel> Running(const Validated& validated, bool others_give_way) const;
  std::vector<std::string> Yielding(const Validated& validated) const;
  void CapByMemory(const models::FitInput& input, Validated& validated) const;
  // What serves, applied once more, gives a model that failed a new engine: what its message named
  // may have been mended. An edit of another model leaves it alone.
  void ReplaceFailed(std::vector<Change>& changes) const;

  const models::ModelManager* const models_;
  const ValidatorOptions options_;
};

}  // namespace hearth::apply
