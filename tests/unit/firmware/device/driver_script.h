// What the scripted libnvidia-ml (fake_nvml.cc) does: files named by the environment.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace hearth::device {

class DriverScript {
 public:
  DriverScript() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fake-nvml-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    setenv("FAKE_NVML_SCRIPT", Script().c_str(), 1);
    setenv("FAKE_NVML_XID_FILE", Xids().c_str(), 1);
  }
  ~DriverScript() {
    unsetenv("FAKE_NVML_SCRIPT");
    unsetenv("FAKE_NVML_XID_FILE");
    std::filesystem::remove_all(directory_);
  }

  // Replaces the script in one step.
  void Set(const std::string& lines) const {
    const std::filesystem::path next = directory_ / "next";
    std::ofstream(next) << lines;
    std::filesystem::rename(next, Script());
  }

  // Whether a call has ever entered a hang.
  bool Hung() const { return std::filesystem::exists(Script() + ".hung"); }

  void FireXid(int gpu, int xid) const {
    std::ofstream(Xids(), std::ios::app) << gpu << " " << xid << "\n";
  }

 private:
  std::string Script() const { return (directory_ / "script").string(); }
  std::string Xids() const { return (directory_ / "xids").string(); }

  std::filesystem::path directory_;
};

}  // namespace hearth::device
