// GpuWatch: what the GPUs say, read once a second, and their XID errors, by threads that may hang.
//
// A call into a driver that lost its GPU may never return. Then readings turn stale and are
// withdrawn; whoever asks for them, and the shutdown, do not wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firmware/device/driver_thread.h"
#include "firmware/device/nvml.h"

namespace hearth::device {

// Codes counted one by one per GPU; NVIDIA's list has about 170, a GPU dies of a handful.
inline constexpr size_t kXidsMax = 64;

// XIDs of one GPU since its events are watched.
struct XidCounts {
  std::map<uint64_t, uint64_t> by_code;
  uint64_t uncounted = 0;  // of codes beyond kXidsMax
  uint64_t last = 0;       // 0: none yet
};

struct GpuState {
  // Of GPUs the driver ever showed, also of one that fell off the bus: by index.
  std::map<int, GpuIdentity> identities;
  // The last pass; empty once that is stale.
  std::vector<GpuReading> readings;
  // Since the driver last answered a pass; nullopt before the first.
  std::optional<double> age_seconds;
  // By GpuIdentity::index, of the GPUs whose events are watched.
  std::map<int, XidCounts> xids;
};

class GpuWatch {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    std::string library = "libnvidia-ml.so.1";
    std::chrono::milliseconds interval{1000};
    // The library may come or the driver may start after us.
    std::chrono::milliseconds retry_interval{10'000};
    int passes_per_pcie_reading = 5;  // it costs 40 ms per GPU
    std::chrono::milliseconds stale_after{5000};
    std::chrono::milliseconds stop_grace = DriverThread::kGrace;
  };

  GpuWatch() : GpuWatch(Options()) {}
  explicit GpuWatch(Options options);

  // At once, from any thread.
  GpuState Latest(Clock::time_point now = Clock::now()) const;

 private:
  struct Shared;

  const std::shared_ptr<Shared> shared_;
  const std::unique_ptr<DriverThread> reader_;
  const std::unique_ptr<DriverThread> xid_listener_;
};

}  // namespace hearth::device
