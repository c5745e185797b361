#include "firmware/device/device_metrics.h"

#include "firmware/metrics/process_metrics.h"

namespace hearth::device {

using enum metrics::MetricId;

DeviceMetrics::DeviceMetrics(metrics::Registry* registry, const Options& options)
    : readings_(registry), gpus_(options.gpus), host_(options.host) {}

std::vector<std::string> DeviceMetrics::GpuNames() const {
  std::vector<std::string> names;
  for (const auto& [index, identity] : gpus_.Latest().identities) names.push_back(identity.name);
  return names;
}

std::optional<DeviceMetrics::Memory> DeviceMetrics::memory() const {
  const GpuState gpus = gpus_.Latest();
  if (!gpus.readings.empty()) {
    const GpuReading& gpu = gpus.readings.front();
    if (gpu.memory_total_bytes && gpu.memory_free_bytes) {
      return Memory{*gpu.memory_total_bytes, *gpu.memory_free_bytes};
    }
  }
  const auto host = host_.Latest();
  if (!host) return std::nullopt;
  const auto total = host->memory_bytes.find("MemTotal");
  const auto available = host->memory_bytes.find("MemAvailable");
  if (total == host->memory_bytes.end() || available == host->memory_bytes.end()) {
    return std::nullopt;
  }
  return Memory{total->second, available->second};
}

void DeviceMetrics::Update(std::span<const EngineProcess> engines) {
  SetGpuMetrics(gpus_.Latest(), engines, &readings_);
  if (const auto host = host_.Latest()) {
    SetHostMetrics(*host, &readings_);
    // The watcher reads in its own rhythm: the same reading twice is no second without work.
    if (host->time_seconds != host_before_.time_seconds) {
      summary_ = Summarize(host_before_, *host);
      host_before_ = *host;
    }
    SetHostSummary(summary_, &readings_);
    const double num_gpus = static_cast<double>(gpus_.Latest().readings.size());
    readings_.Set(kHostProcessors, {"CPU"}, static_cast<double>(host->cpus.size()));
    readings_.Set(kHostProcessors, {"GPU"}, num_gpus);
  }
  SetEngineProcessMetrics(engines, &readings_);
  readings_.EndRound();
}

void SetHostSummary(const HostSummary& summary, Readings* readings) {
  readings->Set(kHostCpuUtilization, {}, summary.cpu_utilization_ratio);
  readings->Set(kHostMemoryUsed, {}, summary.memory_used_bytes);
  readings->Set(kHostMemoryUsedRatio, {}, summary.memory_used_ratio);
  readings->Set(kHostDiskUsed, {}, summary.disk_used_bytes);
  readings->Set(kHostDiskFree, {}, summary.disk_free_bytes);
  readings->Set(kHostDiskUsedRatio, {}, summary.disk_used_ratio);
  readings->Set(kHostNetworkReceiveRate, {}, summary.receive_bytes_per_second);
  readings->Set(kHostNetworkTransmitRate, {}, summary.transmit_bytes_per_second);
}

void SetEngineProcessMetrics(std::span<const EngineProcess> engines, Readings* readings) {
  for (const EngineProcess& engine : engines) {
    const metrics::ProcessReading process = metrics::ReadProcess(std::to_string(engine.pid));
    const std::vector<std::string> labels = {engine.model_name, engine.engine};
    readings->Set(kEngineProcessCpuSeconds, labels, process.cpu_seconds);
    readings->Set(kEngineProcessResidentMemory, labels, process.resident_bytes);
    readings->Set(kEngineProcessAnonymousMemory, labels, process.anonymous_bytes);
    readings->Set(kEngineProcessThreads, labels, process.threads);
    readings->Set(kEngineProcessOpenFds, labels, process.open_fds);
    readings->Set(kEngineProcessStartTime, labels, process.start_time_seconds);
  }
}

}  // namespace hearth::device
