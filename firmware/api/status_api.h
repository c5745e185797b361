// /health, /ping, /version, /metrics and /api/status: what probes, scrapers and the page ask about the box.
#pragma once

#include <vector>

#include "firmware/http/http.h"
#include "firmware/metrics/registry.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// All outlive the routes. None of the answers waits for an engine.
std::vector<http::Route> StatusRoutes(const models::ModelManager* models,
                                      const metrics::Registry* registry, double start_time_s);

}  // namespace hearth::api
