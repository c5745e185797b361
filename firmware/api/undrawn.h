// What of a Grafana dashboard the pages will not draw, told to who uploads it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace hearth::api {

struct Undrawn {
  int64_t panel_id = 0;  // 0: the dashboard itself, or a panel without an id
  std::string title;     // of the panel or the dashboard
  std::string what;      // a sentence
};

// `features` is webui/drawn_features.json. The rule is that of webui/js/dashboard/undrawn.js, which
// tells the same inside the page; tests/web/cases/undrawn_cases.json holds both to it. Nothing is
// said twice of one panel. `dashboard` may be any JSON: what has not the shape counts as absent.
std::vector<Undrawn> UndrawnOf(const Json& dashboard, const Json& features);

Json UndrawnJson(const std::vector<Undrawn>& list);  // [{"panel_id","title","what"}]

// Every panel object in the order of the file, rows before what they hold; rows that panels hang
// under before schema 16 are not panels.
std::vector<const Json*> PanelsOf(const Json& dashboard);

}  // namespace hearth::api
