// hearth_gpu_*: the GPUs' readings in the registry.
#pragma once

#include <atomic>
#include <thread>

#include "firmware/device/gpu_watch.h"
#include "firmware/metrics/registry.h"

namespace hearth::device {

class GpuMetrics {
 public:
  explicit GpuMetrics(metrics::Registry* registry, GpuWatch::Options options = {});
  ~GpuMetrics();

 private:
  void Run();
  void Update();

  metrics::Registry* const registry_;
  GpuWatch watch_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hearth::device
