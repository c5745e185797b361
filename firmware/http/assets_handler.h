// Serves the page's files out of the program.
#pragma once

#include "firmware/http/router.h"

namespace hearth::http {

// Adds one public route per asset, and "/" for index.html. Answers are compressed where the client takes
// gzip, revalidated by ETag (304) and not kept otherwise, so an upgraded box shows its new page at once.
void AddAssetRoutes(Router& router);

}  // namespace hearth::http
