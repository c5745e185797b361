// One real generation through an engine that does not serve yet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "firmware/models/replica.h"

namespace hearth::models {

struct ProbeAnswer {
  std::string prompt;  // what was said to the model
  std::string text;    // what it answered
  int num_tokens = 0;  // generated
  double ttft_s = 0;
  double duration_s = 0;  // of the whole generation
};

// Asks a candidate that is ready, greedily and for a few tokens, as a chat where the model has a
// template. An error when it gives no token, ends with an error, or takes longer than timeout_s;
// kAborted when give_up() (may be empty) said so. Blocks.
Result<ProbeAnswer> RunProbe(Replica& candidate, const std::function<uint64_t()>& next_request_id,
                             double timeout_s, const std::function<bool()>& give_up);

}  // namespace hearth::models
