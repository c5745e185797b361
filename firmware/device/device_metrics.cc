#include "firmware/device/device_metrics.h"

#include "firmware/metrics/process_metrics.h"

namespace hearth::device {

using enum metrics::MetricId;

DeviceMetrics::DeviceMetrics(metrics::Registry* registry, const Options& options)
    : readings_(registry), gpus_(options.gpus), host_(options.host) {}

void DeviceMetrics::Update(std::span<const EngineProcess> engines) {
  SetGpuMetrics(gpus_.Latest(), engines, &readings_);
  if (const auto host = host_.Latest()) SetHostMetrics(*host, &readings_);
  SetEngineProcessMetrics(engines, &readings_);
  readings_.EndRound();
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
