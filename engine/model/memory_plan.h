// What a model would take, before it is loaded: by the code that loads it, over a backend that counts
// instead of allocating. Of the weights only the headers of their files are read.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/model/decoder.h"
#include "engine/model/model_config.h"

namespace hearth::engine {

struct MemoryPlan {
  ModelConfig config;
  int max_model_len = 0;  // tokens; asked for, or the model's own
  std::string device_name;
  std::string dtype;  // of the weights in memory
  int64_t num_parameters = 0;
  int64_t weight_bytes = 0;
  int64_t workspace_bytes = 0;
  int64_t kv_bytes_per_token = 0;  // of all layers
  int64_t memory_total_bytes = 0;
  int64_t memory_free_bytes = 0;
};

// The same values that Model::Load gives, and the same errors, but for the memory that is free then.
Result<MemoryPlan> PlanMemory(const std::string& model_dir, const LoadOptions& options);

}  // namespace hearth::engine
