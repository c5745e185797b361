// /api/models: load, unload and watch the models of this box.
#pragma once

#include <vector>

#include "firmware/http/http.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// POST   /api/models          {"model_name", "model", "log_engine_metrics", "slo"}: starts loading
// PATCH  /api/models/{name}   {"log_engine_metrics", "slo"}: at once, without touching the engine
// DELETE /api/models/{name}   lets requests finish, then frees the memory
// defaults: of a model that is loaded here; `models` outlives the routes.
std::vector<http::Route> ModelsRoutes(models::ModelManager* models,
                                      const models::ModelOptions& defaults);

}  // namespace hearth::api
