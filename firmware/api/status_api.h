// /health, /ping, /version and /api/status: what probes and the page ask about the box.
#pragma once

#include <vector>

#include "firmware/http/http.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// `models` outlives the routes. None of the answers waits for an engine.
std::vector<http::Route> StatusRoutes(const models::ModelManager* models, double start_time_s);

}  // namespace hearth::api
