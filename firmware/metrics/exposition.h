// Prometheus's text format 0.0.4.
#pragma once

#include <string>
#include <string_view>

#include "firmware/metrics/metric_defs.h"
#include "storage/promql/series_source.h"

namespace hearth::metrics {

struct Snapshot;

inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

// "counter", "gauge" or "histogram".
std::string_view TypeName(Kind kind);

// As Python's client prints: shortest digits that read back, "1.0" for integers, an exponent from 1e6 on,
// "+Inf", "-Inf", "NaN".
std::string FormatValue(double value);

// `name{label="value",...} `; label pairs sorted by name, values escaped.
std::string SeriesLine(const promql::Labels& labels);

// The whole page: HELP and TYPE once per family, then its series.
std::string RenderText(const Snapshot& snapshot);

}  // namespace hearth::metrics
