// Sampler: once a second, the registry's values into the history and onto the pages of /metrics:
// both show the same numbers.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "firmware/metrics/metrics_pages.h"
#include "firmware/metrics/process_metrics.h"
#include "firmware/metrics/registry.h"
#include "storage/history.h"

namespace hearth {

class Sampler {
 public:
  // `observe` is called before each sample: it brings into the registry what only changes by
  // looking. All outlive the sampler.
  Sampler(metrics::Registry* registry, storage::History* history, metrics::MetricsPages* pages,
          std::function<void()> observe);
  // Takes a last sample, so that what happened in the last second is kept.
  ~Sampler();

 private:
  void Run();
  void Sample();

  metrics::Registry* const registry_;
  storage::History* const history_;
  metrics::MetricsPages* const pages_;
  const std::function<void()> observe_;
  metrics::ProcessMetrics process_;
  metrics::Metric *history_bytes_, *samples_appended_, *write_errors_, *last_commit_, *series_;
  std::vector<storage::SeriesId> ids_;  // by RecordedSeries::index
  std::vector<bool> known_;             // by RecordedSeries::index

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth
