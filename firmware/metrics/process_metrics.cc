#include "firmware/metrics/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace hearth::metrics {
namespace {

struct Stat {
  double cpu_seconds;
  double virtual_bytes;
  double resident_bytes;
  double start_ticks;  // since boot
};

// proc(5): fields 14, 15, 22, 23, 24 of /proc/self/stat; the name in field 2 may hold blanks.
std::optional<Stat> ReadStat() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  uint64_t user = 0, system = 0, start = 0, virtual_bytes = 0;
  int64_t pages = 0;
  const int read = std::sscanf(text.c_str() + name_end + 1,
                               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                               " %*d %*d %*d %*d %*d %*d %" SCNu64 " %" SCNu64 " %" SCNd64,
                               &user, &system, &start, &virtual_bytes, &pages);
  if (read != 5) return std::nullopt;
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return Stat{static_cast<double>(user + system) / ticks, static_cast<double>(virtual_bytes),
              static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)),
              static_cast<double>(start)};
}

std::optional<double> ReadBootTime() {
  std::ifstream file("/proc/stat");
  std::string word;
  double value = 0;
  while (file >> word) {
    if (word == "btime" && file >> value) return value;
  }
  return std::nullopt;
}

std::optional<double> CountOpenFds() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  double count = -3;  // ".", ".." and the descriptor of this listing
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

}  // namespace

ProcessMetrics::ProcessMetrics(Registry* registry)
    : registry_(registry),
      cpu_seconds_(registry->Get(MetricId::kProcessCpuSeconds)),
      resident_bytes_(registry->Get(MetricId::kProcessResidentMemory)),
      virtual_bytes_(registry->Get(MetricId::kProcessVirtualMemory)),
      start_time_(registry->Get(MetricId::kProcessStartTime)),
      open_fds_(registry->Get(MetricId::kProcessOpenFds)),
      max_fds_(registry->Get(MetricId::kProcessMaxFds)) {
  Update();
}

void ProcessMetrics::Update() {
  const auto set = [this](Metric* metric, std::optional<double> value) {
    registry_->SetExposed(metric, value.has_value());
    if (value) registry_->Set(metric, *value);
  };
  const auto stat = ReadStat();
  const auto part = [&](double Stat::*member) {
    return stat ? std::optional((*stat).*member) : std::nullopt;
  };
  set(cpu_seconds_, part(&Stat::cpu_seconds));
  set(resident_bytes_, part(&Stat::resident_bytes));
  set(virtual_bytes_, part(&Stat::virtual_bytes));
  const auto boot = ReadBootTime();
  set(start_time_, stat && boot ? std::optional(*boot + stat->start_ticks /
                                                            static_cast<double>(sysconf(_SC_CLK_TCK)))
                                : std::nullopt);
  set(open_fds_, CountOpenFds());
  rlimit limit{};
  const bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  set(max_fds_, known ? std::optional(static_cast<double>(limit.rlim_cur)) : std::nullopt);
}

}  // namespace hearth::metrics
