// The registry: current values of every metric of the table.
//
// A Metric is one family with its label values; it never moves and lives as long as the registry,
// so observers look it up once and keep the pointer. Any thread may change values; a snapshot is
// consistent (taken under the one lock) and changes nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "firmware/metrics/metric_defs.h"
#include "storage/promql/series_source.h"

namespace hearth::metrics {

// One recorded time series: a counter, a gauge, or one part of a histogram or summary.
struct RecordedSeries {
  uint32_t index = 0;  // position in a snapshot's values; dense, stable, never reused
  MetricId id{};
  std::string_view suffix;  // "", "_bucket", "_count" or "_sum"
  promql::Labels labels;    // with __name__, e.g. vllm:e2e_request_latency_seconds_bucket and le
  bool is_counter = false;
  double created_s = 0;  // Unix
};

// One observation worth following: which request it was.
struct Exemplar {
  std::string request_id;
  double value = 0;
  double time_s = 0;  // Unix
};

class Metric {
 public:
  const MetricDef& def() const { return *def_; }

 private:
  friend class Registry;
  const MetricDef* def_ = nullptr;
  std::string model_name_;      // empty when the family has no such label
  std::vector<double> bounds_;  // histograms: without +Inf
  uint32_t first_series_ = 0;   // counter, gauge: the series; histogram: buckets, +Inf, count, sum;
                                // summary: count, sum
  bool exposed_ = true;
};

// What /metrics shows and the history records of one moment.
struct Snapshot {
  int64_t time_ms = 0;                               // Unix, when it was taken
  std::vector<const RecordedSeries*> series;         // in the table's order, then by creation
  std::vector<double> values;                        // parallel to `series`
  std::unordered_map<uint32_t, Exemplar> exemplars;  // by RecordedSeries::index; buckets only
};

class Registry {
 public:
  explicit Registry(const Clock* clock = Clock::System()) : clock_(clock) {}

  // The metric with these label values, in the order of its def's labels; made at 0 when new.
  // `bounds` only for histograms whose buckets depend on the model. A bound never changes.
  Metric* Get(MetricId id, std::vector<std::string> label_values = {},
              std::span<const double> bounds = {});

  void Add(Metric* counter, double delta = 1);
  void Set(Metric* metric, double value);  // gauges, and counters whose total is kept elsewhere

  // Histograms and summaries. request_id: the bucket's exemplar; empty keeps the last one.
  void Observe(Metric* metric, double value, std::string_view request_id = "");

  // A reading that does not exist is left out, never 0.
  void SetExposed(Metric* metric, bool exposed);

  // log_engine_metrics: without it the model's engine families (Source::kEngine) are in no
  // snapshot. They count on unseen, so that what comes back later is the truth.
  void SetEngineMetricsShown(const std::string& model_name, bool shown);

  Snapshot TakeSnapshot() const;

 private:
  struct Key {
    MetricId id;
    std::vector<std::string> label_values;
    auto operator<=>(const Key&) const = default;
  };

  void AddSeries(const Metric& metric, const std::vector<std::string>& label_values,
                 std::string_view suffix, std::string_view le, bool is_counter);
  bool IsShown(const Metric& metric) const;

  const Clock* const clock_;
  mutable std::mutex mutex_;
  std::map<Key, std::unique_ptr<Metric>> metrics_;
  std::vector<std::vector<Metric*>> by_id_{kMetricCount};  // exposition order
  std::deque<RecordedSeries> series_;                      // stable addresses
  std::vector<double> values_;                             // by series index
  std::unordered_map<uint32_t, Exemplar> exemplars_;       // by series index
  std::set<std::string> hidden_models_;                    // log_engine_metrics is false
};

}  // namespace hearth::metrics
