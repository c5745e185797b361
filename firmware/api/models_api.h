// /api/models: add, change and remove the models of this box. Each is an edit of the model
// configuration: a revision of its own, which is applied at once.
#pragma once

#include <string>
#include <vector>

#include "firmware/apply/applier.h"
#include "firmware/apply/config_store.h"
#include "firmware/http/http.h"

namespace hearth::api {

// POST   /api/models          {"model_name", "model", "log_engine_metrics", "slo"}: 202, starts
// loading PATCH  /api/models/{name}   {"log_engine_metrics", "slo"}: 200, serves so, without
// another engine DELETE /api/models/{name}   200, takes no more requests; those it has it finishes
// 200 means that the change is on the disk. 202 names the apply; a model that cannot be loaded or
// does not answer leaves everything as it was, and GET /api/config/applies/{id} says why. What is
// added here is not watched. 409 while another apply runs.
// read_only: why nothing can be changed (a pinned file); empty: it can.
std::vector<http::Route> ModelsRoutes(apply::Applier* applier, apply::ConfigStore* store,
                                      const std::string& read_only);

}  // namespace hearth::api
