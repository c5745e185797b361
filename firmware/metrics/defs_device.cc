// What the GPU, the host and this process say of themselves. A reading that does not exist is left
// out, never 0. dcgm-exporter's and node_exporter's names for them are views.
#include <array>

#include "firmware/metrics/metric_defs.h"

namespace hearth::metrics {
namespace {

using enum MetricId;
using enum Kind;
constexpr Source kFrom = Source::kDevice;

constexpr std::string_view kGpu[] = {"gpu", "name"};

constexpr std::string_view kEachSecond = "every second";

constexpr std::array kRows = {
    MetricDef{kGpuUtilization, "hearth_gpu_utilization_ratio", kGauge, kFrom, kGpu, {},
              "Share of time in which a kernel was running, 0 to 1 (NVML).", kEachSecond, ""},
    MetricDef{kGpuMemoryUsed, "hearth_gpu_memory_used_bytes", kGauge, kFrom, kGpu, {},
              "GPU memory in use (NVML).", kEachSecond, ""},
    MetricDef{kGpuMemoryTotal, "hearth_gpu_memory_total_bytes", kGauge, kFrom, kGpu, {},
              "GPU memory installed (NVML).", kEachSecond, ""},
    MetricDef{kGpuTemperature, "hearth_gpu_temperature_celsius", kGauge, kFrom, kGpu, {},
              "Temperature of the GPU's die (NVML).", kEachSecond, ""},
    MetricDef{kGpuPower, "hearth_gpu_power_watts", kGauge, kFrom, kGpu, {},
              "Power draw of the board (NVML).", kEachSecond, ""},
    MetricDef{kProcessCpuSeconds, "process_cpu_seconds_total", kCounter, kFrom, {}, {},
              "Total user and system CPU time spent in seconds.", kEachSecond, ""},
    MetricDef{kProcessResidentMemory, "process_resident_memory_bytes", kGauge, kFrom, {}, {},
              "Resident memory size in bytes.", kEachSecond, ""},
    MetricDef{kProcessVirtualMemory, "process_virtual_memory_bytes", kGauge, kFrom, {}, {},
              "Virtual memory size in bytes.", kEachSecond, ""},
    MetricDef{kProcessStartTime, "process_start_time_seconds", kGauge, kFrom, {}, {},
              "Start time of the process since unix epoch in seconds.", kEachSecond, ""},
    MetricDef{kProcessOpenFds, "process_open_fds", kGauge, kFrom, {}, {},
              "Number of open file descriptors.", kEachSecond, ""},
    MetricDef{kProcessMaxFds, "process_max_fds", kGauge, kFrom, {}, {},
              "Maximum number of open file descriptors.", kEachSecond, ""},
};

}  // namespace

std::span<const MetricDef> DeviceDefs() { return kRows; }

}  // namespace hearth::metrics
