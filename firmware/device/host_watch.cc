#include "firmware/device/host_watch.h"

#include <mutex>
#include <utility>

namespace hearth::device {

struct HostWatch::Shared {
  explicit Shared(Options options_in) : options(std::move(options_in)) {}

  const Options options;
  mutable std::mutex mutex;  // guards what follows; never held while reading
  std::optional<HostReading> reading;
  Clock::time_point taken;

  void ReadLoop(StopSignal* stop) {
    const HostReader reader(options.root);
    int pass = 0;
    do {
      const bool temperatures = pass++ % options.passes_per_temperature_reading == 0;
      HostReading next = reader.Read({.temperatures = temperatures});
      std::lock_guard lock(mutex);
      if (!temperatures) {
        next.hwmon = std::move(reading->hwmon);
        next.thermal_zones = std::move(reading->thermal_zones);
      }
      reading = std::move(next);
      taken = Clock::now();
    } while (!stop->WaitFor(options.interval));
  }
};

HostWatch::HostWatch(Options options)
    : shared_(std::make_shared<Shared>(std::move(options))),
      reader_(std::make_unique<DriverThread>(
          [shared = shared_](StopSignal* stop) { shared->ReadLoop(stop); },
          shared_->options.stop_grace)) {}

std::optional<HostReading> HostWatch::Latest(Clock::time_point now) const {
  std::lock_guard lock(shared_->mutex);
  if (now - shared_->taken >= shared_->options.stale_after) return std::nullopt;
  return shared_->reading;
}

}  // namespace hearth::device
