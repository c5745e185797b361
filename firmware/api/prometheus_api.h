// Prometheus's HTTP API over the box's own history, for the page, Grafana and promtool.
//
// GET and POST (form-encoded): query, query_range, query_exemplars, series, labels, format_query,
// parse_query; GET: label values, metadata. Shapes, error types and messages are those of
// Prometheus 3.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "firmware/http/http.h"
#include "storage/promql/series_source.h"

namespace hearth::api {

struct MetricMetadata {
  std::string type;  // "counter", "gauge", "histogram", ...
  std::string help;
  std::string unit;
};

// By metric name. Called by any thread.
using MetadataFunction = std::function<std::map<std::string, MetricMetadata>()>;

// `source` and `clock` outlive the routes.
std::vector<http::Route> PrometheusRoutes(const promql::SeriesSource& source, const Clock* clock,
                                          MetadataFunction metadata);

}  // namespace hearth::api
