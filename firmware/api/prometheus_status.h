// What Prometheus's clients ask about the server itself: /api/v1/status/*, targets, Alertmanagers.
// Grafana and promtool choose what to do by some of it, Prometheus's own page shows the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "firmware/http/http.h"
#include "storage/promql/series_source.h"

namespace hearth::api {

struct StoredFacts {
  int64_t chunks = 0;     // rows of every tier
  int64_t oldest_ms = 0;  // 0: none
};

struct ServerFacts {
  int64_t start_time_ms = 0;
  std::string config_yaml;                   // in the words of Prometheus's configuration
  std::map<std::string, std::string> flags;  // in the words of Prometheus's command line
  std::string storage_retention;             // of the coarsest tier: "2y"
  std::vector<std::string> alertmanager_urls;
  std::function<StoredFacts()> stored;       // called by any thread
};

// `source` and `clock` outlive the routes.
std::vector<http::Route> PrometheusStatusRoutes(const promql::SeriesSource& source,
                                                const Clock* clock, ServerFacts facts);

}  // namespace hearth::api
