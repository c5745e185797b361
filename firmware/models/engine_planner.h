// What an engine would take, asked of the engine's own code before anything is loaded.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/protocol/messages.h"

namespace hearth::models {

// Starts an engine that plans and exits (load.plan_only is set here). Blocks, a second at most on a
// disk that answers. kInvalidArgument with the engine's sentence when the model cannot be loaded;
// kDeadlineExceeded after timeout_s; kUnavailable when the engine does not start or dies.
Result<protocol::Planned> PlanEngine(const std::string& executable, protocol::Load load,
                                     double timeout_s);

}  // namespace hearth::models
