#include "engine/backend/cpu/cpu_info.h"

#include <sched.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

namespace hearth::engine::cpu {
namespace {

template <typename T>
bool ReadValue(const std::string& path, T& value) {
  std::ifstream file(path);
  return static_cast<bool>(file >> value);
}

// The cgroup v2 directory of this process; empty when there is none.
std::string CgroupDirectory() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3);
  }
  return "";
}

int QuotaCores() {
  std::ifstream file(CgroupDirectory() + "/cpu.max");  // "max 100000" or "200000 100000"
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || period <= 0) return std::numeric_limits<int>::max();
  return std::max(1, static_cast<int>(quota / period + 0.5));
}

// A row of /proc/meminfo, in bytes; 0 when there is none.
int64_t MemInfoBytes(std::string_view name) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::stoll(line.substr(name.size())) * 1024;
  }
  return 0;
}

}  // namespace

int PhysicalCores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  std::set<std::pair<int, int>> cores;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &allowed)) continue;
    const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(i) + "/topology/";
    std::pair<int, int> core{-1, i};  // a processor whose topology is hidden counts as a core
    ReadValue(topology + "physical_package_id", core.first);
    ReadValue(topology + "core_id", core.second);
    cores.insert(core);
  }
  return std::clamp(static_cast<int>(cores.size()), 1, QuotaCores());
}

std::string ProcessorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  utsname name{};
  return uname(&name) == 0 ? name.machine : "cpu";
}

int64_t AvailableMemoryBytes() {
  int64_t available = MemInfoBytes("MemAvailable:");
  const std::string cgroup = CgroupDirectory();
  int64_t limit = 0;
  int64_t used = 0;
  if (ReadValue(cgroup + "/memory.max", limit) && ReadValue(cgroup + "/memory.current", used)) {
    available = std::min(available, std::max<int64_t>(limit - used, 0));
  }
  return available;
}

int64_t TotalMemoryBytes() {
  const int64_t total = MemInfoBytes("MemTotal:");
  int64_t limit = 0;
  return ReadValue(CgroupDirectory() + "/memory.max", limit) ? std::min(total, limit) : total;
}

const Kernels& BestKernels() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return kAvx512Kernels;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kAvx2Kernels;
#endif
  return kScalarKernels;
}

}  // namespace hearth::engine::cpu
