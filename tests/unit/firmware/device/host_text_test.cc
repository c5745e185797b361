#include "firmware/device/host_text.h"

#include <gtest/gtest.h>

namespace hearth::device {
namespace {

TEST(HostText, ReadsCpuSecondsByMode) {
  const auto cpus = ParseCpus(
      "cpu  300 0 90 900 30 0 3 0 0 0\n"
      "cpu0 100 2 30 600 10 4 1 5 50 0\n"
      "cpu1 200 0 60 300 20 0 2 0 0 0\n"
      "intr 12345 0 9\n",
      100);
  ASSERT_EQ(cpus.size(), 2u);
  EXPECT_EQ(cpus[0].cpu, "0");
  EXPECT_EQ(cpus[0].modes, (std::array<double, 8>{1, 0.02, 0.3, 6, 0.1, 0.04, 0.01, 0.05}));
  EXPECT_EQ(cpus[1].cpu, "1");
}

TEST(HostText, LeavesOutACpuLineThatIsTooShort) {
  EXPECT_TRUE(ParseCpus("cpu0 100 2 30\ncpux 1 2 3 4 5 6 7 8\n", 100).empty());
}

TEST(HostText, ReadsTheBootTime) {
  EXPECT_EQ(ParseBootTime("cpu 1 2\nbtime 1761000000\nprocesses 4\n"), 1761000000);
  EXPECT_EQ(ParseBootTime("cpu 1 2\n"), std::nullopt);
}

TEST(HostText, ReadsTheLoadAverages) {
  const auto load = ParseLoadAverage("0.25 1.50 2.75 3/512 4242\n");
  ASSERT_TRUE(load.has_value());
  EXPECT_EQ(load->minutes_1, 0.25);
  EXPECT_EQ(load->minutes_5, 1.5);
  EXPECT_EQ(load->minutes_15, 2.75);
  EXPECT_FALSE(ParseLoadAverage("").has_value());
  EXPECT_FALSE(ParseLoadAverage("0.25 n/a 1\n").has_value());
}

TEST(HostText, ReadsMemoryInBytes) {
  const auto memory = ParseMemory(
      "MemTotal:       16316412 kB\nMemFree:         1024 kB\nHugePages_Total:       0\n"
      "Cached:            2048 kB\nSwapCached:           1 kB\nSwapTotal:            0 kB\n");
  EXPECT_EQ(memory, (std::map<std::string, double>{{"MemTotal", 16316412.0 * 1024},
                                                   {"MemFree", 1024.0 * 1024},
                                                   {"Cached", 2048.0 * 1024},
                                                   {"SwapTotal", 0}}));
}

TEST(HostText, KeepsMountsOfLocalFilesystems) {
  const auto mounts = ParseLocalMounts(
      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
      "30 27 0:40 / /mnt/nas rw - nfs4 nas:/export rw,hard\n"
      "31 27 8:17 / /srv/my\\040models ro,nosuid master:3 - xfs /dev/sdb1 ro,attr2\n");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].device, "/dev/sda1");
  EXPECT_EQ(mounts[0].fstype, "ext4");
  EXPECT_EQ(mounts[0].mountpoint, "/");
  EXPECT_FALSE(mounts[0].readonly);
  EXPECT_EQ(mounts[1].mountpoint, "/srv/my models");
  EXPECT_TRUE(mounts[1].readonly);
}

// A service's sandbox mounts the root again, read-only and in pieces.
TEST(HostText, ShowsAFilesystemOnceAndAsItIs) {
  const auto mounts = ParseLocalMounts(
      "41 1 8:1 /var/lib/hearth /var/lib/hearth rw - ext4 /dev/sda1 rw\n"
      "42 1 8:1 / /mnt/again rw - ext4 /dev/sda1 rw\n"
      "43 1 8:1 / / ro,nosuid - ext4 /dev/sda1 rw\n"
      "44 1 8:1 /etc /etc ro - ext4 /dev/sda1 rw\n");
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].mountpoint, "/");
  EXPECT_FALSE(mounts[0].readonly);
}

TEST(HostText, LeavesOutBrokenMounts) {
  EXPECT_TRUE(ParseLocalMounts("1 2 8:1 / /\n- ext4\n\n27 1 8:1 / / rw - ext4\n").empty());
}

TEST(HostText, BoundsTheFilesystems) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "1 1 8:" + std::to_string(i) + " / /m" + std::to_string(i) + " rw - ext4 /dev/x rw\n";
  }
  EXPECT_EQ(ParseLocalMounts(text).size(), kDevicesMax);
}

TEST(HostText, ReadsWholeDisks) {
  const auto disks = ParseDisks(
      "   8       0 sda 100 5 2000 70 200 6 4000 80 0 1500 150 0 0 0 0 3 4\n"
      "   8       1 sda1 99 5 1999 70 199 6 3999 80 0 1500 150\n"
      " 259       0 nvme0n1 10 0 16 1 20 0 32 2 0 250 3\n"
      " 259       1 nvme0n1p1 1 0 1 1 2 0 3 2 0 2 3\n"
      "   7       0 loop0 1 0 1 1 2 0 3 2 0 2 3\n"
      " 253       0 dm-0 7 0 8 1 2 0 3 2 0 2 3\n"
      "   9     127 md127 7 0 8 1 2 0 3 2 0 2 3\n"
      " 179       0 mmcblk0 7 0 8 1 2 0 3 2 0 2 3\n"
      " 179       1 mmcblk0p1 7 0 8 1 2 0 3 2 0 2 3\n"
      " 254       0 vda 7 0 8 1 2 0 3 2 0 2 3\n"
      " 252       0 zram0 7 0 8 1 2 0 3 2 0 2 3\n"
      " 252       0 sdz 7 0\n");
  std::vector<std::string> names;
  for (const Disk& disk : disks) names.push_back(disk.device);
  EXPECT_EQ(names,
            (std::vector<std::string>{"sda", "nvme0n1", "dm-0", "md127", "mmcblk0", "vda"}));
  EXPECT_EQ(disks[0].reads_completed, 100);
  EXPECT_EQ(disks[0].writes_completed, 200);
  EXPECT_EQ(disks[0].read_bytes, 2000 * 512);
  EXPECT_EQ(disks[0].written_bytes, 4000 * 512);
  EXPECT_EQ(disks[0].io_time_seconds, 1.5);
}

TEST(HostText, ReadsNetworkDevices) {
  const auto networks = ParseNetworks(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
      "    lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0\n"
      "  eth0:1234567890123 11 12 13 14 15 16 17 21 22 23 24 25 26 27 28\n"
      "eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
      "vethab12: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
      "  eth1: 1 2 3\n");
  ASSERT_EQ(networks.size(), 3u);
  EXPECT_EQ(networks[1].device, "eth0");
  EXPECT_EQ(networks[1].receive.bytes, 1234567890123);
  EXPECT_EQ(networks[1].receive.packets, 11);
  EXPECT_EQ(networks[1].receive.errors, 12);
  EXPECT_EQ(networks[1].receive.drops, 13);
  EXPECT_EQ(networks[1].transmit.bytes, 21);
  EXPECT_EQ(networks[1].transmit.drops, 24);
  EXPECT_EQ(networks[2].device, "eth0:1");
}

TEST(HostText, ReadsPressureInSeconds) {
  EXPECT_EQ(ParsePressure("some avg10=0.00 avg60=1.00 avg300=2.00 total=2500000\n"
                          "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"),
            2.5);
  EXPECT_EQ(ParsePressure(""), std::nullopt);
}

TEST(HostText, ReadsFileHandles) {
  const auto files = ParseFileHandles("1824\t0\t9223372036854775807\n");
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(files->allocated, 1824);
  EXPECT_FALSE(ParseFileHandles("1824\n").has_value());
}

TEST(HostText, ReadsOsRelease) {
  const auto os = ParseOsRelease("# made by hand\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"
                                 "VERSION_ID='12'\nno equals\n=x\n");
  EXPECT_EQ(os, (std::map<std::string, std::string>{{"ID", "debian"},
                                                    {"PRETTY_NAME", "Debian GNU/Linux 12"},
                                                    {"VERSION_ID", "12"}}));
}

TEST(HostText, SpellsAChipAsNodeExporterDoes) {
  EXPECT_EQ(ChipLabel("/sys/devices/platform/coretemp.0"), "platform_coretemp_0");
  EXPECT_EQ(ChipLabel("/sys/devices/pci0000:00/0000:00:18.3"), "pci0000:00_0000:00:18_3");
  EXPECT_EQ(ChipLabel("acpitz"), "acpitz");
}

TEST(HostText, TakesOnlyWholeNumbers) {
  EXPECT_EQ(ParseNumber("-3.5"), -3.5);
  EXPECT_EQ(ParseNumber("12x"), std::nullopt);
  EXPECT_EQ(ParseNumber(""), std::nullopt);
  EXPECT_EQ(ParseNumber("nan"), std::nullopt);
  EXPECT_EQ(ParseNumber("inf"), std::nullopt);
}

}  // namespace
}  // namespace hearth::device
