// What there is of the history, and copies of it out of and into the box.
//
//   GET  /api/history          tiers, size, limit; see HistoryJson
//   GET  /api/history/backup   the whole history as one SQLite file, the last second included
//   POST /api/history/restore  such a file as the body: checked, and taken at the next start
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/http/http.h"
#include "storage/history.h"

namespace hearth::api {

// {"path", "bytes", "bytes_max", "bytes_free" of the file system, "series", "tiers": [{"name",
// "step_s" (0: as sampled), "keep_s", "rows", "bytes", "oldest_ms", "newest_ms"}]}; a tier without
// rows has null for its times.
Json HistoryJson(const storage::HistoryStats& stats, const std::string& path, int64_t bytes_max);

// `history` outlives the routes; `options` are those it was opened with.
std::vector<http::Route> HistoryRoutes(storage::History* history,
                                       const storage::HistoryOptions& options);

}  // namespace hearth::api
