// The sampling defaults a checkpoint brings along (generation_config.json); vLLM applies them too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::engine {

struct GenerationConfig {
  std::vector<int> eos_token_id;  // any of them ends a sequence
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int> top_k;
  std::optional<double> repetition_penalty;

  // Reads `model_dir`/generation_config.json. A directory without that file has no defaults, and
  // its eos_token_id comes from config.json. `vocab_size` bounds the ids.
  static Result<GenerationConfig> Load(const std::string& model_dir, int vocab_size);
  static Result<GenerationConfig> FromJsonText(std::string_view text, int vocab_size);
};

}  // namespace hearth::engine
