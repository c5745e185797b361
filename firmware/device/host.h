// HostReader: the box as /proc and /sys tell it.
#pragma once

#include <filesystem>

#include "firmware/device/host_reading.h"

namespace hearth::device {

class HostReader {
 public:
  // root: where proc, sys and etc are; a directory of a test's own.
  explicit HostReader(std::filesystem::path root = "/") : root_(std::move(root)) {}

  struct Options {
    // Asking some disks and buses takes milliseconds and costs them a command.
    bool temperatures = true;
  };
  // Mostly under a millisecond; a disk that died may keep it for as long as the kernel waits for
  // the disk.
  HostReading Read(const Options& options) const;

 private:
  void ReadFilesystems(HostReading* reading) const;
  void ReadHwmon(HostReading* reading) const;
  void ReadThermalZones(HostReading* reading) const;
  void ReadCoreThrottles(HostReading* reading) const;
  std::string Text(const std::filesystem::path& path) const;  // empty when it cannot be read

  const std::filesystem::path root_;
};

}  // namespace hearth::device
