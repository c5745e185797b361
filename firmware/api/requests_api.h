// /api/requests: the last inference requests of this box.
#pragma once

#include <vector>

#include "firmware/api/request_log.h"
#include "firmware/http/http.h"

namespace hearth::api {

// GET /api/requests: {"requests": [LoggedRequest by its field names], "matched", "kept", "oldest_ms",
// "models"}. Parameters, all optional: model, endpoint, outcome (a reason, "answered" or "failed"),
// id (X-Request-Id), status ("404" or "4xx"), since (Unix seconds), before (the field id, for the
// next page), min_ms (of e2e_ms), order ("newest" or "slowest"), limit (1 to 1000). `log` outlives the
// routes.
std::vector<http::Route> RequestsRoutes(const RequestLog* log);

}  // namespace hearth::api
