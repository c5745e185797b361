// Grafana's dashboard JSON in the forms in which people hand it over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth::api {

// A dashboard that somebody sent, checked; `json` has what was sent, and a uid.
struct SentDashboard {
  Json json;
  std::string uid;
  bool overwrite = false;
};

// Takes the file that Grafana exports; what its API takes, {"dashboard", "overwrite", "inputs"}; and
// its resources of "dashboard.grafana.app/v0alpha1" and "v1beta1", whose spec is such a file. Refuses
// version 2 of the schema, which has no panels.
//
// A dashboard without a uid gets one that follows from its title, so that the same file sent twice
// meets itself. `inputs` of type "constant" take the place of "${NAME}"; those of data sources do
// not, because the box has one, and the file goes on to another Grafana as it came.
Result<SentDashboard> ReadSentDashboard(const Json& body);

// The bounds of limits.h on uid, title and panels; the shape of what is read of a dashboard.
Status CheckDashboard(const Json& dashboard);
Status CheckDashboardTitle(const Json& title);

// The same for Grafana's import: its __inputs name the data source where panels do by "${NAME}".
Json ForGrafana(const Json& dashboard);

// "GPU memory" -> "gpu-memory"; of the same title always the same, never empty.
std::string SlugOf(std::string_view title);

// What a list shows of a dashboard.
struct DashboardSummary {
  std::string uid;
  std::string title;
  std::string description;
  std::vector<std::string> tags;
  int64_t panels = 0;  // without rows
};
DashboardSummary SummaryOf(const Json& dashboard);

}  // namespace hearth::api
