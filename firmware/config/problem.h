// What is wrong, or worth knowing, about one place of a configuration.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace hearth::config {

// Where in a text; counted from 1, 0 when it did not come from a text.
struct Place {
  int line = 0;
  int column = 0;
};

enum class Severity {
  kError,    // the configuration is refused
  kWarning,  // taken, but not as it stands: inert or capped
};

struct Problem {
  Severity severity = Severity::kError;
  std::string path = {};     // "llm_configs[0].engine_kwargs.max_model_len"; empty: the whole text
  Place place = {};
  Json value = nullptr;      // what stands there; null when something is missing
  std::string message = {};  // a sentence that names path and value, the limit, and what to do
  std::string allowed = {};  // "an integer from 1 to 1024", "one of auto, bfloat16, float32"
  std::string nearest = {};  // of an unknown key: the known one it may have meant; may be empty
};

inline bool HasErrors(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) {
    if (problem.severity == Severity::kError) return true;
  }
  return false;
}

}  // namespace hearth::config
