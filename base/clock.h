// Clocks. Intervals come from MonotonicSeconds(), which every process of the box shares; wall time is
// only for stamps that people and Prometheus read.
#pragma once

#include <cstdint>
#include <string>

namespace hearth {

// CLOCK_MONOTONIC, in seconds.
double MonotonicSeconds();

// Wall clock, in milliseconds since 1970 UTC.
int64_t WallMillis();

// What code that schedules or stamps takes instead of the functions above, so that tests can step time.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual double MonotonicSeconds() const = 0;
  virtual int64_t WallMillis() const = 0;
  // Counts also while the machine sleeps (CLOCK_BOOTTIME), from the boot that BootId() names.
  virtual double BootSeconds() const { return MonotonicSeconds(); }
  virtual std::string BootId() const { return "this boot"; }

  // The machine's clock; lives for ever.
  static const Clock* System();
};

}  // namespace hearth
