// process_*: this process as the kernel sees it, under Prometheus's standard names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "firmware/metrics/registry.h"

namespace hearth::metrics {

// One process. What the kernel does not tell (a process that ended, a limit that is none) is
// absent.
struct ProcessReading {
  using Value = std::optional<double>;

  Value cpu_seconds;  // user and system
  Value resident_bytes;
  Value anonymous_bytes;  // resident and backed by no file: weights mapped from disk do not count
  Value virtual_bytes, virtual_max_bytes;
  Value start_time_seconds;  // since 1970 UTC
  Value threads;
  Value open_fds, max_fds;
};

// pid: a number or "self". proc: where /proc is.
ProcessReading ReadProcess(const std::string& pid, const std::filesystem::path& proc = "/proc");

class ProcessMetrics {
 public:
  explicit ProcessMetrics(Registry* registry);

  // Reads /proc/self once; a file that cannot be read withdraws its metrics.
  void Update();

 private:
  Registry* const registry_;
};

}  // namespace hearth::metrics
