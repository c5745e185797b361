// GET /api/models/{name}/log?lines=N: what the engines of a model said last, on stderr.
#pragma once

#include <vector>

#include "firmware/http/http.h"

namespace hearth::api {

// {"lines":[{"time_ms","replica","text"}]}, oldest first, at most EngineLog::kLinesMax; 200 where
// `lines` is absent. 404 for a model that never had an engine.
std::vector<http::Route> EngineLogRoutes();

}  // namespace hearth::api
