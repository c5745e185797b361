// Nvml: readings of NVIDIA GPUs through the driver's libnvidia-ml, loaded at run time.
//
// A box without the driver has no Nvml; a driver too old for a reading, or a board without the sensor,
// leaves that reading out. Facts (names, signatures, return code 0) from NVIDIA's NVML API reference.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hearth::device {

struct GpuReading {
  int index = 0;
  std::string name;
  std::optional<double> utilization_ratio;
  std::optional<double> memory_used_bytes;
  std::optional<double> memory_total_bytes;
  std::optional<double> temperature_celsius;
  std::optional<double> power_watts;
};

class Nvml {
 public:
  // Null when the library is absent or does not start. library: its file name, for tests.
  static std::unique_ptr<Nvml> Load(const char* library = "libnvidia-ml.so.1");
  ~Nvml();

  // One entry per GPU the driver shows. A call may take milliseconds, and hang on a lost GPU: not for
  // threads that answer requests.
  std::vector<GpuReading> Read() const;

 private:
  struct Functions;
  Nvml(void* handle, std::unique_ptr<Functions> functions);

  void* const handle_;
  const std::unique_ptr<Functions> functions_;
};

}  // namespace hearth::device
