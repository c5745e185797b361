// Serves the page's files out of the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "firmware/http/http.h"

namespace hearth::http {

// One public route per asset; a page has its address without ".html", too, and index.html those of
// every dashboard: "/", "/d/<uid>", "/d/<uid>/<title>". Answers are compressed where the client takes
// gzip and revalidated by ETag (304) before each use: an upgraded box shows its new page at once.
std::vector<Route> AssetRoutes();

// The contents of the page's files whose path starts with `prefix`, "/dashboards/", by path.
std::vector<std::string> AssetTexts(std::string_view prefix);

}  // namespace hearth::http
