#include "firmware/device/host_summary.h"

#include <gtest/gtest.h>

namespace hearth::device {
namespace {

// One processor that has worked `busy_s` and rested `idle_s`, and one network device.
HostReading Reading(double time_s, double busy_s, double idle_s, double received) {
  HostReading host;
  host.time_seconds = time_s;
  CpuSeconds cpu{"0", {}};
  cpu.modes[0] = busy_s;  // user
  cpu.modes[3] = idle_s;  // idle
  host.cpus.push_back(cpu);
  NetworkDevice network;
  network.device = "eth0";
  network.receive.bytes = received;
  host.networks.push_back(network);
  NetworkDevice loopback;
  loopback.device = "lo";
  loopback.receive.bytes = received * 1000;
  host.networks.push_back(loopback);
  return host;
}

TEST(HostSummary, IsTheDifferenceOfTwoReadings) {
  const HostSummary summary =
      Summarize(Reading(100, 10, 50, 1000), Reading(102, 10.5, 51.5, 5000));
  EXPECT_DOUBLE_EQ(*summary.cpu_utilization_ratio, 0.25);
  EXPECT_DOUBLE_EQ(*summary.receive_bytes_per_second, 2000) << "without loopback";
}

TEST(HostSummary, HasNoRatesWithoutAReadingBefore) {
  const HostSummary summary = Summarize({}, Reading(102, 10.5, 51.5, 5000));
  EXPECT_FALSE(summary.cpu_utilization_ratio.has_value());
  EXPECT_FALSE(summary.receive_bytes_per_second.has_value());
}

TEST(HostSummary, LeavesOutARateWhoseCounterWentBack) {
  EXPECT_FALSE(Summarize(Reading(100, 10, 50, 5000), Reading(102, 10.5, 51.5, 0))
                   .receive_bytes_per_second.has_value());
}

TEST(HostSummary, CountsWhatIsAvailableAsFree) {
  HostReading host;
  host.memory_bytes = {{"MemTotal", 1000}, {"MemAvailable", 750}};
  host.filesystems.push_back({"d", "ext4", "/data", false, 9000, 9000, 9000, 0, 0});
  host.filesystems.push_back({"d", "ext4", "/", false, 1000, 400, 350, 0, 0});
  const HostSummary summary = Summarize({}, host);
  EXPECT_DOUBLE_EQ(*summary.memory_used_bytes, 250);
  EXPECT_DOUBLE_EQ(*summary.memory_used_ratio, 0.25);
  EXPECT_DOUBLE_EQ(*summary.disk_used_bytes, 600) << "of the root";
  EXPECT_DOUBLE_EQ(*summary.disk_free_bytes, 350);
  EXPECT_DOUBLE_EQ(*summary.disk_used_ratio, 600.0 / 950);
}

}  // namespace
}  // namespace hearth::device
