#include "base/clock.h"

#include <ctime>

namespace hearth {
namespace {

timespec Now(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return now;
}

class SystemClock : public Clock {
 public:
  double MonotonicSeconds() const override { return hearth::MonotonicSeconds(); }
  int64_t WallMillis() const override { return hearth::WallMillis(); }
};

}  // namespace

double MonotonicSeconds() {
  const timespec now = Now(CLOCK_MONOTONIC);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int64_t WallMillis() {
  const timespec now = Now(CLOCK_REALTIME);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

const Clock* Clock::System() {
  static const SystemClock clock;
  return &clock;
}

}  // namespace hearth
