// /health, /ping, /version and /api/status: what probes and the page ask about the box.
//
//   /health        as vLLM: 200 when every model serves, 503 with the reasons
//   /health/live   200 while the front answers, whatever the engines do
//   /health/ready  200 when requests get answers now; see readiness.h
#pragma once

#include <vector>

#include "firmware/apply/applier.h"
#include "firmware/http/http.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// `models` and `applier` outlive the routes. None of the answers waits for an engine.
std::vector<http::Route> StatusRoutes(const models::ModelManager* models,
                                      const apply::Applier* applier, double start_time_s);

}  // namespace hearth::api
