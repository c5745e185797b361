// Is the box ready: would a request that comes now be answered, soon and by an engine that gets on?
// Stricter than /health, for those who choose among several boxes (reliability-security.md G-6).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

struct Readiness {
  bool is_ready = false;
  // "" when it is, otherwise the gravest of: loading, degraded, restarting, stalled, failed, recovery.
  std::string reason;
  std::map<std::string, std::string> models;  // by name: "ready", or as `reason`
};

// recovery: why no model is started; empty when the box is not in recovery mode. A model that was
// unloaded is nobody's reason to stay away.
Readiness ReadinessOf(const std::vector<models::ModelStatus>& models, const std::string& recovery);

// {"status":"ready"|"not_ready","reason","models":{name:reason}}
Json ToJson(const Readiness& readiness);

}  // namespace hearth::api
