// /metrics: the exposition by negotiation, in any choice of name views.
#pragma once

#include <vector>

#include "firmware/http/http.h"
#include "firmware/metrics/metrics_pages.h"

namespace hearth::api {

// views: what a scrape without ?view= gets. `pages` outlives the routes.
std::vector<http::Route> MetricsRoutes(metrics::MetricsPages* pages, metrics::ViewSet views);

}  // namespace hearth::api
