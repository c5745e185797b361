#include "base/clock.h"

#include <ctime>
#include <fstream>

namespace hearth {
namespace {

timespec Now(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return now;
}

double Seconds(clockid_t id) {
  const timespec now = Now(id);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string ReadBootId() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

class SystemClock : public Clock {
 public:
  double MonotonicSeconds() const override { return hearth::MonotonicSeconds(); }
  int64_t WallMillis() const override { return hearth::WallMillis(); }
  double BootSeconds() const override { return Seconds(CLOCK_BOOTTIME); }
  std::string BootId() const override {
    static const std::string id = ReadBootId();
    return id;
  }
};

}  // namespace

double MonotonicSeconds() { return Seconds(CLOCK_MONOTONIC); }

int64_t WallMillis() {
  const timespec now = Now(CLOCK_REALTIME);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

const Clock* Clock::System() {
  static const SystemClock clock;
  return &clock;
}

}  // namespace hearth
