// What the kernel tells of this box, in base units, without a metric's name.
//
// A reading that the kernel does not offer is absent, never 0. Lists are bounded (kDevicesMax …),
// so that a box with a thousand veths or loop mounts does not make a thousand series.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::device {

inline constexpr size_t kCpusMax = 512;     // two sockets of the largest parts sold
inline constexpr size_t kDevicesMax = 64;   // per kind: disks, file systems, network devices
inline constexpr size_t kSensorsMax = 128;  // per kind

// The columns of a "cpu" line of /proc/stat that node_exporter shows as modes. Guest time is part
// of user.
inline constexpr std::array<std::string_view, 8> kCpuModes = {"user",   "nice", "system",  "idle",
                                                              "iowait", "irq",  "softirq", "steal"};

struct CpuSeconds {
  std::string cpu;                             // "0"
  std::array<double, kCpuModes.size()> modes;  // by kCpuModes, since boot
};

struct LoadAverage {
  double minutes_1 = 0, minutes_5 = 0, minutes_15 = 0;
};

struct Filesystem {
  std::string device, fstype, mountpoint;  // as the mount table has them
  bool readonly = false;                   // the file system itself, not this mount of it
  double size_bytes = 0;
  double free_bytes = 0;
  double avail_bytes = 0;  // free to processes without privileges
  double files = 0, files_free = 0;
};

struct Disk {
  std::string device;
  double reads_completed = 0, writes_completed = 0;
  double read_bytes = 0, written_bytes = 0;
  double io_time_seconds = 0;  // time with a request under way
};

struct NetworkDevice {
  struct Direction {
    double bytes = 0, packets = 0, errors = 0, drops = 0;
  };
  std::string device;
  Direction receive, transmit;
};

// A temperature of /sys/class/hwmon. chip is built as node_exporter builds it, from the path of the
// device.
struct HwmonTemperature {
  std::string chip, sensor;      // "platform_coretemp_0", "temp1"
  std::string chip_name, label;  // "coretemp", "Package id 0"; may be empty
  double celsius = 0;
};

struct ThermalZone {
  std::string zone, type;  // "0", "x86_pkg_temp"
  double celsius = 0;
};

// Times the core was throttled because it was hot.
struct CoreThrottles {
  std::string package, core;
  double count = 0;
};

struct Uname {
  std::string sysname, release, version, machine, nodename, domainname;
};

struct HostReading {
  using Value = std::optional<double>;

  std::vector<CpuSeconds> cpus;
  std::optional<LoadAverage> load;
  std::map<std::string, double> memory_bytes;  // by /proc/meminfo's own word, those of kMemoryWords
  std::vector<Filesystem> filesystems;
  std::vector<Disk> disks;
  std::vector<NetworkDevice> networks;
  std::vector<HwmonTemperature> hwmon;
  std::vector<ThermalZone> thermal_zones;
  std::vector<CoreThrottles> core_throttles;
  // Time in which some task waited for it, since boot.
  Value cpu_waiting_seconds, io_waiting_seconds, memory_waiting_seconds;
  Value files_allocated, files_max;  // open files of the whole system
  Value boot_time_seconds;           // since 1970 UTC
  double time_seconds = 0;           // when this was read, since 1970 UTC
  Uname uname;
  std::map<std::string, std::string> os_release;  // "ID", "VERSION_ID", "PRETTY_NAME" …
};

inline constexpr std::array<std::string_view, 7> kMemoryWords = {
    "MemTotal", "MemAvailable", "MemFree", "Cached", "Buffers", "SwapTotal", "SwapFree"};

}  // namespace hearth::device
