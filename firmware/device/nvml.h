// Nvml: readings and error events of NVIDIA GPUs through the driver's libnvidia-ml, loaded at run
// time.
//
// Every symbol is probed: a driver too old for a reading, a board without the sensor, or a value
// the driver calls not available leaves that reading out; it is never 0. Facts and sources:
// nvml_abi.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "firmware/device/nvml_abi.h"

namespace hearth::device {

// More GPUs than any one box holds; bounds the series they make.
inline constexpr unsigned kGpusMax = 32;
// Processes read per GPU: hearth's engines and a few others; a training farm is not this box.
inline constexpr unsigned kGpuProcessesMax = 256;

struct GpuProcess {
  int64_t pid = 0;
  double memory_bytes = 0;
};

// Why the driver holds the clocks where they are: a bit of nvmlDeviceGetCurrentClocksEventReasons.
struct ClocksEventReason {
  uint64_t bit;
  std::string_view name;
};
inline constexpr std::array<ClocksEventReason, 9> kClocksEventReasons = {{
    {0x1, "gpu_idle"},
    {0x2, "applications_clocks_setting"},
    {0x4, "sw_power_cap"},
    {0x8, "hw_slowdown"},
    {0x10, "sync_boost"},
    {0x20, "sw_thermal_slowdown"},
    {0x40, "hw_thermal_slowdown"},
    {0x80, "hw_power_brake_slowdown"},
    {0x100, "display_clock_setting"},
}};

// What held the clocks down, for how long since the driver was loaded.
inline constexpr std::array<std::string_view, 7> kViolations = {
    "power",       "thermal",    "sync_boost", "board_limit",
    "reliability", "hw_thermal", "hw_power_brake"};

// What does not change while a GPU is in the box. Empty: the driver does not say.
struct GpuIdentity {
  int index = 0;
  std::string uuid;        // "GPU-8f0e…"
  std::string name;        // "NVIDIA A10G"
  std::string pci_bus_id;  // "00000000:00:1E.0"
  std::string driver_version;
  std::optional<unsigned> minor_number;  // of /dev/nvidia<n>
};

// Base units; ratios are 0 to 1.
struct GpuReading {
  using Value = std::optional<double>;

  GpuIdentity identity;
  Value utilization_ratio;         // time with a kernel running
  Value memory_utilization_ratio;  // time with memory read or written
  Value encoder_utilization_ratio, decoder_utilization_ratio;
  // total = free + used + reserved; a driver without nvmlDeviceGetMemoryInfo_v2 counts reserved as
  // used.
  Value memory_total_bytes, memory_free_bytes, memory_used_bytes, memory_reserved_bytes;
  Value sm_clock_hertz, memory_clock_hertz;
  Value temperature_celsius, memory_temperature_celsius;
  Value power_watts;  // averaged over a second from Ampere on
  Value power_limit_watts;
  Value energy_joules;  // since the driver was loaded
  Value fan_ratio;
  Value performance_state;  // 0 the fastest to 15
  Value pcie_link_generation, pcie_link_width, pcie_replays;
  Value pcie_transmit_bytes_per_second, pcie_receive_bytes_per_second;  // over 20 ms
  Value remapped_rows_correctable, remapped_rows_uncorrectable;
  Value row_remap_pending, row_remap_failed;  // 0 or 1
  Value ecc_volatile_corrected, ecc_volatile_uncorrected;    // since the driver was loaded
  Value ecc_aggregate_corrected, ecc_aggregate_uncorrected;  // in the board's life
  std::optional<uint64_t> clocks_event_reasons;              // bits of kClocksEventReasons
  std::array<Value, kViolations.size()> violation_seconds;   // by kViolations
  std::optional<std::vector<GpuProcess>> processes;          // those that compute
};

struct XidEvent {
  int gpu = 0;  // GpuIdentity::index
  uint64_t xid = 0;
};

// Any call may take milliseconds, and hang for ever on a lost GPU: not for threads that somebody
// waits for (see gpu_watch.h). One thread at a time per object; several objects may live at once.
class Nvml {
 public:
  // kNotFound: the library is absent. kUnavailable: it is there and does not start.
  static Result<std::unique_ptr<Nvml>> Load(const std::string& library);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  struct ReadOptions {
    bool pcie_throughput = true;  // two more readings that take 20 ms each
  };
  // One entry per GPU that answers. kUnavailable when the driver itself does not answer.
  Result<std::vector<GpuReading>> Read(const ReadOptions& options) const;

  // Starts recording critical XIDs; the indices of the GPUs that do. Empty where none can.
  std::vector<int> StartXidEvents();
  // The next event; nullopt when none came in time. kUnavailable: the driver lost the events.
  // Requires StartXidEvents.
  Result<std::optional<XidEvent>> WaitForXid(std::chrono::milliseconds timeout) const;

 private:
  struct Functions;
  class Reader;
  Nvml(void* library, std::unique_ptr<Functions> functions);

  void* const library_;
  const std::unique_ptr<const Functions> functions_;
  nvml::EventSet events_ = nullptr;
  std::map<nvml::Device, int> watched_;  // to GpuIdentity::index
};

}  // namespace hearth::device
