// Sampler: once a second, the registry's values into the history.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "firmware/metrics/process_metrics.h"
#include "firmware/metrics/registry.h"
#include "storage/history.h"

namespace hearth {

class Sampler {
 public:
  // Both outlive the sampler.
  Sampler(metrics::Registry* registry, storage::History* history);
  // Takes a last sample, so that what happened in the last second is kept.
  ~Sampler();

 private:
  void Run();
  void Sample();

  metrics::Registry* const registry_;
  storage::History* const history_;
  metrics::ProcessMetrics process_;
  metrics::Metric *history_bytes_, *samples_appended_, *write_errors_, *last_commit_;
  std::vector<storage::SeriesId> ids_;  // by ExposedSeries::index
  std::vector<bool> known_;             // by ExposedSeries::index

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth
