// docs/METRICS.md, written from the metrics table and the name views.
//
// Nothing about a family is written twice: what the page says of it is what /metrics and the history
// use. `hearth-metrics-doc` prints the page.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "firmware/metrics/metric_defs.h"

namespace hearth::metrics {

// The page, in GitHub's Markdown.
std::string MetricsDoc();

// MetricDef::example, else the query usually asked of the kind: a counter's rate, a histogram's 95th
// percentile, a summary's mean, a gauge itself.
std::string ExampleQuery(const MetricDef& def);

// All values that a label of the family can have; empty when they are not known beforehand.
std::span<const std::string_view> KnownLabelValues(const MetricDef& def, std::string_view label);

}  // namespace hearth::metrics
