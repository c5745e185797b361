// What the models of this box do: their states, replicas, memory and scaling; and waking them or
// putting them to sleep.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "firmware/http/http.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

struct DeviceMemory {
  double total_bytes = 0;
  double free_bytes = 0;
};

// What the routes ask; all may be called from any thread.
struct ModelStatesSource {
  models::ModelManager* models;
  std::function<std::optional<DeviceMemory>()> memory;
  std::function<std::string(const std::string& model_name)>
      source_of;  // as configured; "": unknown
  int64_t memory_limit_bytes = 0;
};

// GET  /api/models                 {"models": [...], "memory": {...}}
// POST /api/models/{name}/load     202: is loaded now, as a request would do it, or tried again
// POST /api/models/{name}/unload   202: sleeps until it is asked for; 409 where min_replicas
// forbids it
std::vector<http::Route> ModelStatesRoutes(const ModelStatesSource& source);

}  // namespace hearth::api
