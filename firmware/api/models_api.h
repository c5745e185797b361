// /api/models: load, unload and watch the models of this box. What is done here outlives hearthd.
#pragma once

#include <vector>

#include "firmware/api/kept_models.h"
#include "firmware/http/http.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// POST   /api/models          {"model_name", "model", "log_engine_metrics", "slo"}: starts loading
// PATCH  /api/models/{name}   {"log_engine_metrics", "slo"}: at once, without touching the engine
// DELETE /api/models/{name}   lets requests finish, then frees the memory
// An answer of 200 or 202 means that the change is also on the disk.
// defaults: of a model that is loaded here; `models` and `kept` outlive the routes.
std::vector<http::Route> ModelsRoutes(models::ModelManager* models, KeptModels* kept,
                                      const models::ModelOptions& defaults);

}  // namespace hearth::api
