#include "firmware/device/host_summary.h"

#include <algorithm>
#include <numeric>

namespace hearth::device {
namespace {

struct CpuTime {
  double idle_s = 0;
  double total_s = 0;
};

CpuTime TimeOf(const HostReading& host) {
  CpuTime time;
  for (const CpuSeconds& cpu : host.cpus) {
    for (size_t mode = 0; mode < kCpuModes.size(); ++mode) {
      time.total_s += cpu.modes[mode];
      if (kCpuModes[mode] == "idle" || kCpuModes[mode] == "iowait") time.idle_s += cpu.modes[mode];
    }
  }
  return time;
}

double TotalBytes(const HostReading& host, NetworkDevice::Direction NetworkDevice::*direction) {
  return std::accumulate(host.networks.begin(), host.networks.end(), 0.0,
                         [&](double sum, const NetworkDevice& device) {
                           return device.device == "lo" ? sum : sum + (device.*direction).bytes;
                         });
}

HostSummary::Value Rate(double before, double now, double seconds) {
  if (seconds <= 0 || now < before) return std::nullopt;
  return (now - before) / seconds;
}

void SummarizeMemory(const HostReading& host, HostSummary& summary) {
  const auto total = host.memory_bytes.find("MemTotal");
  const auto available = host.memory_bytes.find("MemAvailable");
  if (total == host.memory_bytes.end() || available == host.memory_bytes.end()) return;
  summary.memory_used_bytes = total->second - available->second;
  if (total->second > 0) summary.memory_used_ratio = *summary.memory_used_bytes / total->second;
}

void SummarizeDisk(const HostReading& host, HostSummary& summary) {
  if (host.filesystems.empty()) return;
  const auto root = std::find_if(host.filesystems.begin(), host.filesystems.end(),
                                 [](const Filesystem& fs) { return fs.mountpoint == "/"; });
  const Filesystem& fs = root != host.filesystems.end()
                             ? *root
                             : *std::max_element(host.filesystems.begin(), host.filesystems.end(),
                                                 [](const Filesystem& a, const Filesystem& b) {
                                                   return a.size_bytes < b.size_bytes;
                                                 });
  const double used = fs.size_bytes - fs.free_bytes;
  summary.disk_used_bytes = used;
  summary.disk_free_bytes = fs.avail_bytes;
  // As df: of what unprivileged processes can use.
  if (used + fs.avail_bytes > 0) summary.disk_used_ratio = used / (used + fs.avail_bytes);
}

}  // namespace

HostSummary Summarize(const HostReading& before, const HostReading& now) {
  HostSummary summary;
  const CpuTime cpu_before = TimeOf(before), cpu_now = TimeOf(now);
  const double busy_before = cpu_before.total_s - cpu_before.idle_s;
  const double busy_now = cpu_now.total_s - cpu_now.idle_s;
  if (!before.cpus.empty()) {
    summary.cpu_utilization_ratio =
        Rate(busy_before, busy_now, cpu_now.total_s - cpu_before.total_s);
  }
  SummarizeMemory(now, summary);
  SummarizeDisk(now, summary);
  if (!before.networks.empty()) {
    const double seconds = now.time_seconds - before.time_seconds;
    const auto rate = [&](NetworkDevice::Direction NetworkDevice::*direction) {
      return Rate(TotalBytes(before, direction), TotalBytes(now, direction), seconds);
    };
    summary.receive_bytes_per_second = rate(&NetworkDevice::receive);
    summary.transmit_bytes_per_second = rate(&NetworkDevice::transmit);
  }
  return summary;
}

}  // namespace hearth::device
