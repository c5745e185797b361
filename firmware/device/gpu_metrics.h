// hearth_gpu_*: NVML's readings in the registry.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "firmware/device/nvml.h"
#include "firmware/metrics/registry.h"

namespace hearth::device {

// Reads once a second in a thread of its own: a call into a driver that lost its GPU may hang, and then
// only these readings stand still. Without a driver there is no thread and no series.
class GpuMetrics {
 public:
  GpuMetrics(metrics::Registry* registry, std::unique_ptr<Nvml> nvml);
  ~GpuMetrics();

  bool has_gpu() const { return nvml_ != nullptr; }

 private:
  void Run();
  void Update();

  metrics::Registry* const registry_;
  const std::unique_ptr<Nvml> nvml_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hearth::device
