// /metrics as text: Prometheus's text format 0.0.4 and OpenMetrics 1.0, of any set of name views.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "firmware/metrics/name_views.h"
#include "firmware/metrics/registry.h"

namespace hearth::metrics {

enum class Format { kText, kOpenMetrics };

// Whether each line carries its sample's time. A Prometheus then stores the very samples of the
// history, but cannot tell that a series ended until five minutes have passed.
enum class Timestamps { kNone, kSample };

inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::string_view kOpenMetricsContentType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

// `name{label="value",...}`; label pairs sorted by name, values escaped.
std::string SeriesText(const promql::Labels& labels);

// Renders snapshots of one registry. Keeps what a series is called, so that a page costs its
// numbers only. One thread at a time.
class Exposition {
 public:
  // HELP and TYPE once per family, then its series. OpenMetrics adds _created, exemplars and # EOF.
  std::string Render(const Snapshot& snapshot, Format format, ViewSet views,
                     Timestamps timestamps = Timestamps::kNone);

 private:
  struct Page;  // one page on its way

  void AppendFamily(const NameView& view, size_t row, Page& page);
  const std::string& NameOf(const NameView& view, size_t row, const RecordedSeries& series);

  // By row of NameViews, then by RecordedSeries::index; empty when the view does not show the
  // series.
  std::vector<std::unordered_map<uint32_t, std::string>> names_;
};

}  // namespace hearth::metrics
