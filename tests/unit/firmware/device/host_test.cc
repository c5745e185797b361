#include "firmware/device/host.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "firmware/device/host_watch.h"

namespace hearth::device {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A directory that stands for "/".
class Root {
 public:
  Root() {
    std::string pattern = (fs::temp_directory_path() / "host-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Root() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }
  void Put(const fs::path& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }

 private:
  fs::path path_;
};

TEST(HostReader, ReadsThisBox) {
  const HostReading host = HostReader().Read({});
  EXPECT_FALSE(host.cpus.empty());
  EXPECT_TRUE(host.load.has_value());
  EXPECT_GT(host.memory_bytes.at("MemTotal"), 0);
  EXPECT_LE(host.memory_bytes.at("MemAvailable"), host.memory_bytes.at("MemTotal"));
  EXPECT_GT(host.boot_time_seconds, 0);
  EXPECT_LE(host.boot_time_seconds, host.time_seconds);
  EXPECT_FALSE(host.networks.empty());
  EXPECT_EQ(host.uname.sysname, "Linux");
  for (const Filesystem& filesystem : host.filesystems) {
    EXPECT_GE(filesystem.size_bytes, filesystem.free_bytes) << filesystem.mountpoint;
    EXPECT_GE(filesystem.free_bytes, filesystem.avail_bytes) << filesystem.mountpoint;
  }
}

TEST(HostReader, LeavesOutWhatTheKernelDoesNotOffer) {
  const Root root;
  const HostReading host = HostReader(root.path()).Read({});
  EXPECT_TRUE(host.cpus.empty());
  EXPECT_FALSE(host.load.has_value());
  EXPECT_TRUE(host.memory_bytes.empty());
  EXPECT_TRUE(host.filesystems.empty());
  EXPECT_TRUE(host.disks.empty());
  EXPECT_TRUE(host.networks.empty());
  EXPECT_TRUE(host.hwmon.empty());
  EXPECT_TRUE(host.thermal_zones.empty());
  EXPECT_TRUE(host.core_throttles.empty());
  EXPECT_FALSE(host.cpu_waiting_seconds.has_value());
  EXPECT_FALSE(host.files_allocated.has_value());
  EXPECT_FALSE(host.boot_time_seconds.has_value());
  EXPECT_TRUE(host.os_release.empty());
}

TEST(HostReader, MeasuresTheFilesystemsOfTheMountTable) {
  const Root root;
  root.Put("proc/self/mountinfo",
           "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n28 1 8:2 / /gone rw - ext4 /dev/sda2 rw\n");
  const HostReading host = HostReader(root.path()).Read({});
  ASSERT_EQ(host.filesystems.size(), 1u);
  EXPECT_EQ(host.filesystems[0].mountpoint, "/");
  EXPECT_GT(host.filesystems[0].size_bytes, 0);
}

TEST(HostReader, ReadsTemperaturesOfEveryKind) {
  const Root root;
  root.Put("sys/devices/platform/coretemp.0/hwmon/hwmon1/name", "coretemp\n");
  root.Put("sys/devices/platform/coretemp.0/hwmon/hwmon1/temp1_input", "45500\n");
  root.Put("sys/devices/platform/coretemp.0/hwmon/hwmon1/temp1_label", "Package id 0\n");
  root.Put("sys/devices/platform/coretemp.0/hwmon/hwmon1/temp2_input", "not wired\n");
  fs::create_directory_symlink("../..",
                               root.path() / "sys/devices/platform/coretemp.0/hwmon/hwmon1/device");
  fs::create_directories(root.path() / "sys/class/hwmon");
  fs::create_directory_symlink("../../devices/platform/coretemp.0/hwmon/hwmon1",
                               root.path() / "sys/class/hwmon/hwmon1");
  root.Put("sys/class/hwmon/hwmon2/name", "acpitz\n");
  root.Put("sys/class/hwmon/hwmon2/temp1_input", "-2000\n");
  root.Put("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
  root.Put("sys/class/thermal/thermal_zone0/temp", "46000\n");
  root.Put("sys/class/thermal/cooling_device0/type", "Processor\n");

  const HostReading host = HostReader(root.path()).Read({});
  ASSERT_EQ(host.hwmon.size(), 2u);
  EXPECT_EQ(host.hwmon[0].chip, "platform_coretemp_0");
  EXPECT_EQ(host.hwmon[0].sensor, "temp1");
  EXPECT_EQ(host.hwmon[0].chip_name, "coretemp");
  EXPECT_EQ(host.hwmon[0].label, "Package id 0");
  EXPECT_EQ(host.hwmon[0].celsius, 45.5);
  EXPECT_EQ(host.hwmon[1].chip, "acpitz");
  EXPECT_EQ(host.hwmon[1].celsius, -2);
  ASSERT_EQ(host.thermal_zones.size(), 1u);
  EXPECT_EQ(host.thermal_zones[0].zone, "0");
  EXPECT_EQ(host.thermal_zones[0].type, "x86_pkg_temp");
  EXPECT_EQ(host.thermal_zones[0].celsius, 46);

  EXPECT_TRUE(HostReader(root.path()).Read({.temperatures = false}).hwmon.empty());
}

TEST(HostReader, CountsAThrottleOncePerCore) {
  const Root root;
  for (const auto& [cpu, core] : {std::pair("0", "0"), std::pair("1", "1"), std::pair("2", "0")}) {
    const fs::path directory = std::string("sys/devices/system/cpu/cpu") + cpu;
    root.Put(directory / "topology/core_id", std::string(core) + "\n");
    root.Put(directory / "topology/physical_package_id", "0\n");
    root.Put(directory / "thermal_throttle/core_throttle_count", "7\n");
  }
  root.Put("sys/devices/system/cpu/cpufreq/boost", "1\n");
  const HostReading host = HostReader(root.path()).Read({});
  ASSERT_EQ(host.core_throttles.size(), 2u);
  EXPECT_EQ(host.core_throttles[0].package, "0");
  EXPECT_EQ(host.core_throttles[1].core, "1");
  EXPECT_EQ(host.core_throttles[1].count, 7);
}

using Condition = std::function<bool(const HostReading&)>;

HostReading Until(const HostWatch& watch, const Condition& condition) {
  while (true) {
    if (const auto reading = watch.Latest(); reading && condition(*reading)) return *reading;
    std::this_thread::sleep_for(milliseconds(2));
  }
}

TEST(HostWatch, RepeatsTemperaturesBetweenTheirReadings) {
  const Root root;
  root.Put("proc/loadavg", "1.00 1.00 1.00 1/1 1\n");
  root.Put("sys/class/thermal/thermal_zone0/temp", "46000\n");
  HostWatch::Options options;
  options.root = root.path();
  options.interval = milliseconds(2);
  options.passes_per_temperature_reading = 1 << 30;  // the first pass only
  const HostWatch watch(options);
  Until(watch, [](const HostReading& reading) { return reading.load.has_value(); });
  root.Put("next", "2.00 1.00 1.00 1/1 1\n");
  fs::rename(root.path() / "next", root.path() / "proc/loadavg");
  const HostReading later = Until(watch, [](const HostReading& reading) {
    return reading.load && reading.load->minutes_1 == 2;
  });
  ASSERT_EQ(later.thermal_zones.size(), 1u);
  EXPECT_EQ(later.thermal_zones[0].celsius, 46);
}

TEST(HostWatch, WithdrawsAStaleReading) {
  const HostWatch watch;
  Until(watch, [](const HostReading&) { return true; });
  EXPECT_FALSE(watch.Latest(HostWatch::Clock::now() + std::chrono::hours(1)).has_value());
}

}  // namespace
}  // namespace hearth::device
