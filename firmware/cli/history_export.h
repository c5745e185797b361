// Samples of a history as text that other programs read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/history.h"

namespace hearth::cli {

struct ExportOptions {
  std::string format = "csv";  // or "openmetrics"
  // As in PromQL; series are then found under every name that queries know. Empty: everything, under
  // the recorded names.
  std::vector<std::string> selectors = {};
  // As typed; empty: all there is, until now, every sample.
  std::string start = {};
  std::string end = {};
  std::string step = {};
  std::string output = {};  // empty: standard output
};

// csv: "time,series,value" with a header, a row a sample.
// openmetrics: what `promtool tsdb create-blocks-from openmetrics` takes.
// Series by series, each ascending in time, from the finest tier that has the time. Where a series
// ended is told by its gap only. kInvalidArgument for options that do not parse.
Status ExportHistory(const storage::History& history, const ExportOptions& options);

// Reads every sample of the finest tiers.
Result<int64_t> CountSamples(const storage::History& history);

// Unix seconds, an RFC 3339 time in UTC, or a span before `now_ms` such as "6h". kInvalidArgument.
Result<int64_t> ParseTimeMs(const std::string& text, int64_t now_ms);

}  // namespace hearth::cli
