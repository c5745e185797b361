#include "firmware/device/gpu_metrics.h"

#include <chrono>
#include <utility>

namespace hearth::device {

using metrics::MetricId;

GpuMetrics::GpuMetrics(metrics::Registry* registry, GpuWatch::Options options)
    : registry_(registry), watch_(std::move(options)), thread_([this] { Run(); }) {}

GpuMetrics::~GpuMetrics() {
  stopping_ = true;
  thread_.join();
}

void GpuMetrics::Run() {
  while (!stopping_) {
    Update();
    for (int i = 0; i < 10 && !stopping_; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

void GpuMetrics::Update() {
  for (const GpuReading& gpu : watch_.Latest().readings) {
    const auto set = [&](MetricId id, const std::optional<double>& value) {
      metrics::Metric* const metric =
          registry_->Get(id, {std::to_string(gpu.identity.index), gpu.identity.name});
      registry_->SetExposed(metric, value.has_value());
      if (value) registry_->Set(metric, *value);
    };
    set(MetricId::kGpuUtilization, gpu.utilization_ratio);
    set(MetricId::kGpuMemoryUsed, gpu.memory_used_bytes);
    set(MetricId::kGpuMemoryTotal, gpu.memory_total_bytes);
    set(MetricId::kGpuTemperature, gpu.temperature_celsius);
    set(MetricId::kGpuPower, gpu.power_watts);
  }
}

}  // namespace hearth::device
