// /api/dashboards: the dashboards of this box, in Grafana's JSON.
#pragma once

#include <vector>

#include "base/json.h"
#include "firmware/api/dashboard_store.h"
#include "firmware/http/http.h"

namespace hearth::api {

// GET    /api/dashboards               {"dashboards": [{"uid", "title", "description", "tags",
//                                      "source", "version", "updated_ms", "panels"}]}
// POST   /api/dashboards               a dashboard in one of the forms of dashboard_json.h; 201 with
//                                      {"uid", "url", "title", "version", "undrawn"}, 200 when it
//                                      replaced one, 409 when the uid is taken
// GET    /api/dashboards/{uid}         {"dashboard", "meta": {"source", "version", "updated_ms",
//                                      "undrawn"}}
// PUT    /api/dashboards/{uid}         {"dashboard", "version": the one it was made from}; 409 names
//                                      both versions when another is the newest
// PATCH  /api/dashboards/{uid}         {"title"}
// DELETE /api/dashboards/{uid}
// GET    /api/dashboards/{uid}/export  the file for Grafana's import, as a download
//
// "source" is "shipped" or "uploaded"; shipped ones are read-only. "undrawn" names what the pages do
// not draw (undrawn.h, after `drawn_features`). A change that was answered is on the disk. `store`
// outlives the routes.
std::vector<http::Route> DashboardsRoutes(DashboardStore* store, Json drawn_features);

}  // namespace hearth::api
