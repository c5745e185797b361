#include "firmware/device/host.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "base/clock.h"
#include "firmware/device/host_text.h"

namespace hearth::device {
namespace {

namespace fs = std::filesystem;

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The first line of a one-line file of /sys.
std::string ReadLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Whole degrees from the kernel's thousandths.
std::optional<double> ReadMillidegrees(const fs::path& path) {
  const auto value = ParseNumber(ReadLine(path));
  return value ? std::optional(*value / 1000) : std::nullopt;
}

// The entries of a directory whose names begin with `prefix`, by name; none when there is no
// directory.
std::vector<fs::path> Entries(const fs::path& directory, std::string_view prefix) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with(prefix)) entries.push_back(it->path());
  }
  std::ranges::sort(entries);
  return entries;
}

Uname ReadUname() {
  utsname name{};
  if (uname(&name) != 0) return {};
  return {name.sysname, name.release, name.version, name.machine, name.nodename, name.domainname};
}

// node_exporter's rule: the path of the device, else the name the driver gives, else the entry's
// own.
std::string ChipOf(const fs::path& hwmon) {
  std::error_code error;
  const fs::path device = fs::canonical(hwmon / "device", error);
  if (!error) return ChipLabel(device.string());
  const std::string name = ReadLine(hwmon / "name");
  return ChipLabel(name.empty() ? hwmon.filename().string() : name);
}

}  // namespace

std::string HostReader::Text(const fs::path& path) const { return ReadText(root_ / path); }

HostReading HostReader::Read(const Options& options) const {
  HostReading reading;
  reading.time_seconds = static_cast<double>(WallMillis()) / 1000;
  const std::string stat = Text("proc/stat");
  reading.cpus = ParseCpus(stat, static_cast<double>(sysconf(_SC_CLK_TCK)));
  reading.boot_time_seconds = ParseBootTime(stat);
  reading.load = ParseLoadAverage(Text("proc/loadavg"));
  reading.memory_bytes = ParseMemory(Text("proc/meminfo"));
  reading.disks = ParseDisks(Text("proc/diskstats"));
  reading.networks = ParseNetworks(Text("proc/net/dev"));
  reading.cpu_waiting_seconds = ParsePressure(Text("proc/pressure/cpu"));
  reading.io_waiting_seconds = ParsePressure(Text("proc/pressure/io"));
  reading.memory_waiting_seconds = ParsePressure(Text("proc/pressure/memory"));
  if (const auto files = ParseFileHandles(Text("proc/sys/fs/file-nr"))) {
    reading.files_allocated = files->allocated;
    reading.files_max = files->max;
  }
  reading.uname = ReadUname();
  reading.os_release = ParseOsRelease(Text("etc/os-release"));
  ReadFilesystems(&reading);
  ReadCoreThrottles(&reading);
  if (options.temperatures) {
    ReadHwmon(&reading);
    ReadThermalZones(&reading);
  }
  return reading;
}

void HostReader::ReadFilesystems(HostReading* reading) const {
  for (Filesystem& mount : ParseLocalMounts(Text("proc/self/mountinfo"))) {
    struct statvfs stat {};
    const fs::path path = root_ / fs::path(mount.mountpoint).relative_path();
    if (statvfs(path.c_str(), &stat) != 0) continue;
    const auto bytes = [&stat](fsblkcnt_t blocks) {
      return static_cast<double>(blocks) * static_cast<double>(stat.f_frsize);
    };
    mount.size_bytes = bytes(stat.f_blocks);
    mount.free_bytes = bytes(stat.f_bfree);
    mount.avail_bytes = bytes(stat.f_bavail);
    mount.files = static_cast<double>(stat.f_files);
    mount.files_free = static_cast<double>(stat.f_ffree);
    reading->filesystems.push_back(std::move(mount));
  }
}

void HostReader::ReadHwmon(HostReading* reading) const {
  for (const fs::path& chip : Entries(root_ / "sys/class/hwmon", "hwmon")) {
    const std::string chip_label = ChipOf(chip);
    for (const fs::path& input : Entries(chip, "temp")) {
      constexpr std::string_view kInput = "_input";
      std::string sensor = input.filename().string();
      if (!sensor.ends_with(kInput) || reading->hwmon.size() == kSensorsMax) continue;
      sensor.resize(sensor.size() - kInput.size());
      const auto celsius = ReadMillidegrees(input);
      if (!celsius) continue;  // a sensor that is not wired answers with an error
      reading->hwmon.push_back({chip_label, sensor, ReadLine(chip / "name"),
                                ReadLine(chip / (sensor + "_label")), *celsius});
    }
  }
}

void HostReader::ReadThermalZones(HostReading* reading) const {
  constexpr std::string_view kPrefix = "thermal_zone";
  for (const fs::path& zone : Entries(root_ / "sys/class/thermal", kPrefix)) {
    const auto celsius = ReadMillidegrees(zone / "temp");
    if (!celsius || reading->thermal_zones.size() == kSensorsMax) continue;
    reading->thermal_zones.push_back(
        {zone.filename().string().substr(kPrefix.size()), ReadLine(zone / "type"), *celsius});
  }
}

void HostReader::ReadCoreThrottles(HostReading* reading) const {
  std::set<std::pair<std::string, std::string>> seen;  // threads of one core share its counter
  for (const fs::path& cpu : Entries(root_ / "sys/devices/system/cpu", "cpu")) {
    const auto count = ParseNumber(ReadLine(cpu / "thermal_throttle/core_throttle_count"));
    if (!count || reading->core_throttles.size() == kCpusMax) continue;
    const std::string package = ReadLine(cpu / "topology/physical_package_id");
    const std::string core = ReadLine(cpu / "topology/core_id");
    if (!seen.emplace(package, core).second) continue;
    reading->core_throttles.push_back({package, core, *count});
  }
}

}  // namespace hearth::device
