// The registry: current values of every metric of the table.
//
// A Metric is one family with its label values; it never moves and lives as long as the registry, so
// observers look it up once and keep the pointer. Any thread may change values; a snapshot is consistent
// (taken under the one lock) and changes nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "firmware/metrics/metric_defs.h"
#include "storage/promql/series_source.h"

namespace hearth::metrics {

// One exposed time series: a counter, a gauge, or one bucket/sum/count of a histogram.
struct ExposedSeries {
  uint32_t index = 0;     // position in a snapshot's values; dense, stable, never reused
  MetricId id{};
  promql::Labels labels;  // with __name__, e.g. vllm:e2e_request_latency_seconds_bucket and le
  std::string line;       // "name{labels} ": the exposition's line without its value
  bool is_counter = false;
};

class Metric {
 public:
  const MetricDef& def() const { return *def_; }

 private:
  friend class Registry;
  const MetricDef* def_ = nullptr;
  std::vector<double> bounds_;      // histograms: without +Inf
  uint32_t first_series_ = 0;       // counter, gauge: the series; histogram: buckets, +Inf, count, sum
  bool exposed_ = true;
};

// Values by ExposedSeries::index. Absent series (withdrawn gauges) are not in `series`.
struct Snapshot {
  std::vector<const ExposedSeries*> series;  // in the table's order, then by creation
  std::vector<double> values;                // parallel to `series`
};

class Registry {
 public:
  // The metric with these label values, in the order of its def's labels; made at 0 when new.
  // `bounds` only for histograms whose buckets depend on the model.
  Metric* Get(MetricId id, std::vector<std::string> label_values = {},
              std::span<const double> bounds = {});

  void Add(Metric* counter, double delta = 1);
  void Set(Metric* metric, double value);  // gauges, and counters whose total is kept elsewhere
  void Observe(Metric* histogram, double value);

  // A reading that does not exist is left out, never 0.
  void SetExposed(Metric* metric, bool exposed);

  Snapshot TakeSnapshot() const;

 private:
  struct Key {
    MetricId id;
    std::vector<std::string> label_values;
    auto operator<=>(const Key&) const = default;
  };

  void AddSeries(const Metric& metric, const std::vector<std::string>& label_values,
                 std::string_view suffix, std::string_view le, bool is_counter);

  mutable std::mutex mutex_;
  std::map<Key, std::unique_ptr<Metric>> metrics_;
  std::vector<std::vector<Metric*>> by_id_{kMetricCount};  // exposition order
  std::deque<ExposedSeries> series_;                       // stable addresses
  std::vector<double> values_;                             // by series index
};

}  // namespace hearth::metrics
