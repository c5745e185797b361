#include "firmware/device/device_metrics.h"

namespace hearth::device {
namespace {

using enum metrics::MetricId;

constexpr std::pair<std::string_view, metrics::MetricId> kMemoryRows[] = {
    {"MemTotal", kHostMemoryTotal},   {"MemAvailable", kHostMemoryAvailable},
    {"MemFree", kHostMemoryFree},     {"Cached", kHostMemoryCached},
    {"Buffers", kHostMemoryBuffers},  {"SwapTotal", kHostSwapTotal},
    {"SwapFree", kHostSwapFree},
};

void SetSystem(const HostReading& host, Readings* readings) {
  for (const CpuSeconds& cpu : host.cpus) {
    for (size_t mode = 0; mode < kCpuModes.size(); ++mode) {
      readings->Set(kHostCpuSeconds, {cpu.cpu, std::string(kCpuModes[mode])}, cpu.modes[mode]);
    }
  }
  if (host.load) {
    readings->Set(kHostLoad1, {}, host.load->minutes_1);
    readings->Set(kHostLoad5, {}, host.load->minutes_5);
    readings->Set(kHostLoad15, {}, host.load->minutes_15);
  }
  for (const auto& [word, id] : kMemoryRows) {
    const auto bytes = host.memory_bytes.find(std::string(word));
    if (bytes != host.memory_bytes.end()) readings->Set(id, {}, bytes->second);
  }
  readings->Set(kHostCpuWaiting, {}, host.cpu_waiting_seconds);
  readings->Set(kHostIoWaiting, {}, host.io_waiting_seconds);
  readings->Set(kHostMemoryWaiting, {}, host.memory_waiting_seconds);
  readings->Set(kHostFileHandles, {}, host.files_allocated);
  readings->Set(kHostFileHandlesLimit, {}, host.files_max);
  readings->Set(kHostBootTime, {}, host.boot_time_seconds);
  readings->Set(kHostTime, {}, host.time_seconds);
}

void SetIdentity(const HostReading& host, Readings* readings) {
  const Uname& uname = host.uname;
  readings->Set(kHostUnameInfo,
                {uname.domainname, uname.machine, uname.nodename, uname.release, uname.sysname,
                 uname.version},
                1);
  if (host.os_release.empty()) return;
  const auto word = [&host](const char* key) {
    const auto value = host.os_release.find(key);
    return value == host.os_release.end() ? std::string() : value->second;
  };
  readings->Set(kHostOsInfo,
                {word("ID"), word("ID_LIKE"), word("NAME"), word("PRETTY_NAME"), word("VERSION"),
                 word("VERSION_CODENAME"), word("VERSION_ID")},
                1);
}

void SetFilesystems(const HostReading& host, Readings* readings) {
  for (const Filesystem& filesystem : host.filesystems) {
    const std::vector<std::string> labels = {filesystem.device, filesystem.fstype,
                                             filesystem.mountpoint};
    readings->Set(kHostFilesystemSize, labels, filesystem.size_bytes);
    readings->Set(kHostFilesystemFree, labels, filesystem.free_bytes);
    readings->Set(kHostFilesystemAvail, labels, filesystem.avail_bytes);
    readings->Set(kHostFilesystemFiles, labels, filesystem.files);
    readings->Set(kHostFilesystemFilesFree, labels, filesystem.files_free);
    readings->Set(kHostFilesystemReadonly, labels, filesystem.readonly);
  }
}

void SetDisks(const HostReading& host, Readings* readings) {
  for (const Disk& disk : host.disks) {
    readings->Set(kHostDiskReadsCompleted, {disk.device}, disk.reads_completed);
    readings->Set(kHostDiskWritesCompleted, {disk.device}, disk.writes_completed);
    readings->Set(kHostDiskReadBytes, {disk.device}, disk.read_bytes);
    readings->Set(kHostDiskWrittenBytes, {disk.device}, disk.written_bytes);
    readings->Set(kHostDiskIoTime, {disk.device}, disk.io_time_seconds);
  }
}

void SetNetworks(const HostReading& host, Readings* readings) {
  for (const NetworkDevice& network : host.networks) {
    readings->Set(kHostNetworkReceiveBytes, {network.device}, network.receive.bytes);
    readings->Set(kHostNetworkReceivePackets, {network.device}, network.receive.packets);
    readings->Set(kHostNetworkReceiveErrors, {network.device}, network.receive.errors);
    readings->Set(kHostNetworkReceiveDrops, {network.device}, network.receive.drops);
    readings->Set(kHostNetworkTransmitBytes, {network.device}, network.transmit.bytes);
    readings->Set(kHostNetworkTransmitPackets, {network.device}, network.transmit.packets);
    readings->Set(kHostNetworkTransmitErrors, {network.device}, network.transmit.errors);
    readings->Set(kHostNetworkTransmitDrops, {network.device}, network.transmit.drops);
  }
}

void SetHeat(const HostReading& host, Readings* readings) {
  for (const HwmonTemperature& sensor : host.hwmon) {
    readings->Set(kHostHwmonTemperature, {sensor.chip, sensor.sensor}, sensor.celsius);
    if (!sensor.chip_name.empty()) {
      readings->Set(kHostHwmonChipInfo, {sensor.chip, sensor.chip_name}, 1);
    }
    if (!sensor.label.empty()) {
      readings->Set(kHostHwmonSensorInfo, {sensor.chip, sensor.sensor, sensor.label}, 1);
    }
  }
  for (const ThermalZone& zone : host.thermal_zones) {
    readings->Set(kHostThermalZoneTemperature, {zone.zone, zone.type}, zone.celsius);
  }
  for (const CoreThrottles& core : host.core_throttles) {
    readings->Set(kHostCoreThrottles, {core.package, core.core}, core.count);
  }
}

}  // namespace

void SetHostMetrics(const HostReading& host, Readings* readings) {
  SetSystem(host, readings);
  SetIdentity(host, readings);
  SetFilesystems(host, readings);
  SetDisks(host, readings);
  SetNetworks(host, readings);
  SetHeat(host, readings);
}

}  // namespace hearth::device
