// process_*: this process as the kernel sees it, under Prometheus's standard names.
#pragma once

#include "firmware/metrics/registry.h"

namespace hearth::metrics {

class ProcessMetrics {
 public:
  explicit ProcessMetrics(Registry* registry);

  // Reads /proc/self once; a file that cannot be read withdraws its metrics.
  void Update();

 private:
  Registry* const registry_;
  Metric* const cpu_seconds_;
  Metric* const resident_bytes_;
  Metric* const virtual_bytes_;
  Metric* const start_time_;
  Metric* const open_fds_;
  Metric* const max_fds_;
};

}  // namespace hearth::metrics
