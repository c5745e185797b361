// Sampler: once a second, the registry's values into the history and onto the pages of /metrics:
// both show the same numbers.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "firmware/history_metrics.h"
#include "firmware/metrics/metrics_pages.h"
#include "firmware/metrics/process_metrics.h"
#include "firmware/metrics/registry.h"
#include "storage/history.h"

namespace hearth {

// Series beside the registry's, as gauges; one that is not named any more has ended.
using MadeSeriesFunction = std::function<std::vector<std::pair<promql::Labels, double>>()>;

class Sampler {
 public:
  // `observe` is called before each sample: it brings into the registry what only changes by
  // looking. `made_series` gives what others want in the same sample. All outlive the sampler.
  Sampler(metrics::Registry* registry, storage::History* history, metrics::MetricsPages* pages,
          std::function<void()> observe, MadeSeriesFunction made_series);
  // Takes a last sample, so that what happened in the last second is kept.
  ~Sampler();

 private:
  void Run();
  void Sample();

  metrics::Registry* const registry_;
  storage::History* const history_;
  metrics::MetricsPages* const pages_;
  const std::function<void()> observe_;
  const MadeSeriesFunction made_series_;
  metrics::ProcessMetrics process_;
  HistoryMetrics history_metrics_;
  std::vector<storage::SeriesId> ids_;  // by RecordedSeries::index
  std::vector<bool> known_;             // by RecordedSeries::index
  std::map<promql::Labels, storage::SeriesId> made_ids_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth
