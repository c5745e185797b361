// What docs/METRICS.md says beside the tables. For metrics_doc.cc.
#pragma once

#include <span>
#include <string_view>

#include "firmware/metrics/metric_defs.h"

namespace hearth::metrics {

// Consecutive families of one source that belong together: from the first whose name begins with
// `begins` to the next theme.
struct Theme {
  std::string_view begins;
  std::string_view title;
  std::string_view text;
};

struct Chapter {
  Source source;
  std::string_view title;
  std::string_view text;
  std::span<const Theme> themes;
};

extern const std::string_view kDocIntroduction;  // before the table of views
extern const std::string_view kDocViews;         // after it
std::span<const Chapter> DocChapters();

}  // namespace hearth::metrics
