// DeviceMetrics: the readings of GPUs, host and engine processes under their metric names.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "firmware/device/gpu_watch.h"
#include "firmware/device/host_summary.h"
#include "firmware/device/host_watch.h"
#include "firmware/device/readings.h"
#include "firmware/metrics/registry.h"

namespace hearth::device {

// An engine that runs, and the labels of its series.
struct EngineProcess {
  std::string model_name;
  std::string engine;  // index of the replica
  pid_t pid = -1;
};

class DeviceMetrics {
 public:
  struct Options {
    GpuWatch::Options gpus;
    HostWatch::Options host;
  };
  explicit DeviceMetrics(metrics::Registry* registry) : DeviceMetrics(registry, Options()) {}
  DeviceMetrics(metrics::Registry* registry, const Options& options);

  // Takes over what the watchers read last; waits for no device. Once a second, from one thread.
  void Update(std::span<const EngineProcess> engines);

  std::vector<std::string> GpuNames() const;  // any thread

  // Of the device models run on: the first GPU's, else the host's; absent before the first reading.
  struct Memory {
    double total_bytes = 0;
    double free_bytes = 0;
  };
  std::optional<Memory> memory() const;  // any thread

 private:
  Readings readings_;
  GpuWatch gpus_;
  HostWatch host_;
  HostReading host_before_;  // what summary_ was made from
  HostSummary summary_;
};

// The parts of an update, for tests.
void SetGpuMetrics(const GpuState& state, std::span<const EngineProcess> engines,
                   Readings* readings);
void SetHostMetrics(const HostReading& host, Readings* readings);
void SetHostSummary(const HostSummary& summary, Readings* readings);
void SetEngineProcessMetrics(std::span<const EngineProcess> engines, Readings* readings);

}  // namespace hearth::device
