// GET /api/events: what happened on the box, for the annotations of the dashboards.
//   ?start=&end=   Unix seconds, both inclusive; without them the last day
// -> {"events": [{"time": <Unix seconds>, "kind": "alert", "text": "..."}]}, ascending
#pragma once

#include <vector>

#include "base/clock.h"
#include "firmware/http/http.h"
#include "storage/history.h"

namespace hearth::api {

// Both outlive the routes.
std::vector<http::Route> EventsRoutes(const storage::History* history, const Clock* clock);

}  // namespace hearth::api
