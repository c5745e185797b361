// HostSummary: a box at a glance, from one reading to the next. For dashboards that show a node as
// a few numbers (Ray's, the production stack's router).
#pragma once

#include <optional>

#include "firmware/device/host_reading.h"

namespace hearth::device {

struct HostSummary {
  using Value = std::optional<double>;

  Value cpu_utilization_ratio;  // of all processors, since the reading before
  Value memory_used_bytes;      // total - available
  Value memory_used_ratio;
  Value disk_used_bytes;  // of the file system of "/", else of the largest one
  Value disk_free_bytes;  // to processes without privileges
  Value disk_used_ratio;
  Value receive_bytes_per_second;  // of every network device but loopback, since the reading before
  Value transmit_bytes_per_second;
};

// Absent where a reading is, and rates with the first reading or when counters went back.
HostSummary Summarize(const HostReading& before, const HostReading& now);

}  // namespace hearth::device
