// /api/settings: the configuration of the box itself, with the source of each value. Read-only.
#pragma once

#include <vector>

#include "firmware/config/box_config.h"
#include "firmware/http/http.h"

namespace hearth::api {

// `loaded` outlives the routes.
std::vector<http::Route> SettingsRoutes(const config::LoadedBoxConfig* loaded);

}  // namespace hearth::api
