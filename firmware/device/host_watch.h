// HostWatch: the host's readings, taken once a second by a thread that a dying disk may hold up.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "firmware/device/driver_thread.h"
#include "firmware/device/host.h"

namespace hearth::device {

class HostWatch {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    std::filesystem::path root = "/";
    std::chrono::milliseconds interval{1000};
    int passes_per_temperature_reading = 10;  // see HostReader::Options; repeated in between
    std::chrono::milliseconds stale_after{5000};
    std::chrono::milliseconds stop_grace = DriverThread::kGrace;
  };

  HostWatch() : HostWatch(Options()) {}
  explicit HostWatch(Options options);

  // At once, from any thread. nullopt before the first reading and when the last is stale.
  std::optional<HostReading> Latest(Clock::time_point now = Clock::now()) const;

 private:
  struct Shared;

  const std::shared_ptr<Shared> shared_;
  const std::unique_ptr<DriverThread> reader_;
};

}  // namespace hearth::device
