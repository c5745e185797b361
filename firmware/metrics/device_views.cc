// Other names of GPU and host readings: dcgm-exporter's (its default-counters.csv and the field
// list of DCGM) and node_exporter's.
#include <unistd.h>

#include <array>

#include "firmware/metrics/name_view_rows.h"

namespace hearth::metrics {
namespace {

using enum MetricId;
constexpr View kDcgm = View::kDcgm;
constexpr View kNode = View::kNode;

constexpr double kPercent = 100;
constexpr double kMegahertz = 1e-6;
constexpr double kMebibytes = 1.0 / (1024 * 1024);
constexpr double kMillijoules = 1000;

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// dcgm-exporter's labels. What the series do not carry, the driver has told of the GPU
// (SetViewFact).
void ToDcgm(promql::Labels& labels) {
  static const std::string hostname = HostName();
  const std::string prefix = "gpu" + labels.Get("gpu") + ".";
  labels.Set("UUID", labels.Get("uuid"));
  labels.Set("uuid", "");
  labels.Set("device", ViewFact(prefix + "device"));
  labels.Set("modelName", ViewFact(prefix + "name"));
  labels.Set("pci_bus_id", ViewFact(prefix + "pci_bus_id"));
  labels.Set("DCGM_FI_DRIVER_VERSION", ViewFact(prefix + "driver_version"));
  labels.Set("hostname", hostname);
}

constexpr std::string_view kDcgmTouched[] = {
    "UUID", "uuid", "device", "modelName", "pci_bus_id", "DCGM_FI_DRIVER_VERSION", "hostname"};
const LabelChange kDcgmLabels{&ToDcgm, kDcgmTouched};

constexpr ViewRow Dcgm(MetricId id, std::string_view name, double scale, std::string_view help) {
  return {kDcgm, id, name, &kDcgmLabels, scale, {}, help};
}
constexpr ViewRow Node(MetricId id, std::string_view name) {
  return {kNode, id, name, nullptr, 1, {}, ""};
}

constexpr std::array kRows = {
    Dcgm(kGpuSmClock, "DCGM_FI_DEV_SM_CLOCK", kMegahertz, "SM clock frequency (in MHz)."),
    Dcgm(kGpuMemoryClock, "DCGM_FI_DEV_MEM_CLOCK", kMegahertz, "Memory clock frequency (in MHz)."),
    Dcgm(kGpuTemperature, "DCGM_FI_DEV_GPU_TEMP", 1, "GPU temperature (in C)."),
    Dcgm(kGpuMemoryTemperature, "DCGM_FI_DEV_MEMORY_TEMP", 1, "Memory temperature (in C)."),
    Dcgm(kGpuPower, "DCGM_FI_DEV_POWER_USAGE", 1, "Power draw (in W)."),
    Dcgm(kGpuPowerLimit, "DCGM_FI_DEV_ENFORCED_POWER_LIMIT", 1, "Enforced power limit (in W)."),
    Dcgm(kGpuEnergy, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", kMillijoules,
         "Total energy consumption since the driver was loaded (in mJ)."),
    Dcgm(kGpuPcieReplays, "DCGM_FI_DEV_PCIE_REPLAY_COUNTER", 1, "Total number of PCIe retries."),
    Dcgm(kGpuPcieLinkGeneration, "DCGM_FI_DEV_PCIE_LINK_GEN", 1, "PCIe current link generation."),
    Dcgm(kGpuPcieLinkWidth, "DCGM_FI_DEV_PCIE_LINK_WIDTH", 1, "PCIe current link width."),
    Dcgm(kGpuPcieTransmit, "DCGM_FI_PROF_PCIE_TX_BYTES", 1,
         "Bytes per second from the GPU over PCIe, measured by NVML over 20 ms."),
    Dcgm(kGpuPcieReceive, "DCGM_FI_PROF_PCIE_RX_BYTES", 1,
         "Bytes per second to the GPU over PCIe, measured by NVML over 20 ms."),
    Dcgm(kGpuUtilization, "DCGM_FI_DEV_GPU_UTIL", kPercent, "GPU utilization (in %)."),
    Dcgm(kGpuMemoryUtilization, "DCGM_FI_DEV_MEM_COPY_UTIL", kPercent,
         "Memory utilization (in %)."),
    Dcgm(kGpuEncoderUtilization, "DCGM_FI_DEV_ENC_UTIL", kPercent, "Encoder utilization (in %)."),
    Dcgm(kGpuDecoderUtilization, "DCGM_FI_DEV_DEC_UTIL", kPercent, "Decoder utilization (in %)."),
    Dcgm(kGpuFan, "DCGM_FI_DEV_FAN_SPEED", kPercent, "Fan speed (in %)."),
    Dcgm(kGpuPerformanceState, "DCGM_FI_DEV_PSTATE", 1, "Performance state, 0 the fastest."),
    Dcgm(kGpuLastXid, "DCGM_FI_DEV_XID_ERRORS", 1, "Value of the last XID error encountered."),
    Dcgm(kGpuMemoryTotal, "DCGM_FI_DEV_FB_TOTAL", kMebibytes, "Framebuffer memory (in MiB)."),
    Dcgm(kGpuMemoryFree, "DCGM_FI_DEV_FB_FREE", kMebibytes, "Framebuffer memory free (in MiB)."),
    Dcgm(kGpuMemoryUsed, "DCGM_FI_DEV_FB_USED", kMebibytes, "Framebuffer memory used (in MiB)."),
    Dcgm(kGpuMemoryReserved, "DCGM_FI_DEV_FB_RESERVED", kMebibytes,
         "Framebuffer memory reserved (in MiB)."),
    Dcgm(kGpuCorrectableRemappedRows, "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", 1,
         "Number of remapped rows for correctable errors."),
    Dcgm(kGpuUncorrectableRemappedRows, "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", 1,
         "Number of remapped rows for uncorrectable errors."),
    Dcgm(kGpuRowRemapPending, "DCGM_FI_DEV_ROW_REMAP_PENDING", 1, "Whether remapping is pending."),
    Dcgm(kGpuRowRemapFailure, "DCGM_FI_DEV_ROW_REMAP_FAILURE", 1,
         "Whether remapping of rows has failed."),
    Dcgm(kGpuEccVolatileCorrected, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", 1,
         "Total number of single-bit volatile ECC errors."),
    Dcgm(kGpuEccVolatileUncorrected, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 1,
         "Total number of double-bit volatile ECC errors."),
    Dcgm(kGpuEccAggregateCorrected, "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", 1,
         "Total number of single-bit persistent ECC errors."),
    Dcgm(kGpuEccAggregateUncorrected, "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", 1,
         "Total number of double-bit persistent ECC errors."),

    Node(kHostCpuSeconds, "node_cpu_seconds_total"),
    Node(kHostLoad1, "node_load1"),
    Node(kHostLoad5, "node_load5"),
    Node(kHostLoad15, "node_load15"),
    Node(kHostMemoryTotal, "node_memory_MemTotal_bytes"),
    Node(kHostMemoryAvailable, "node_memory_MemAvailable_bytes"),
    Node(kHostMemoryFree, "node_memory_MemFree_bytes"),
    Node(kHostMemoryCached, "node_memory_Cached_bytes"),
    Node(kHostMemoryBuffers, "node_memory_Buffers_bytes"),
    Node(kHostSwapTotal, "node_memory_SwapTotal_bytes"),
    Node(kHostSwapFree, "node_memory_SwapFree_bytes"),
    Node(kHostFilesystemSize, "node_filesystem_size_bytes"),
    Node(kHostFilesystemFree, "node_filesystem_free_bytes"),
    Node(kHostFilesystemAvail, "node_filesystem_avail_bytes"),
    Node(kHostFilesystemFiles, "node_filesystem_files"),
    Node(kHostFilesystemFilesFree, "node_filesystem_files_free"),
    Node(kHostFilesystemReadonly, "node_filesystem_readonly"),
    Node(kHostDiskReadsCompleted, "node_disk_reads_completed_total"),
    Node(kHostDiskWritesCompleted, "node_disk_writes_completed_total"),
    Node(kHostDiskReadBytes, "node_disk_read_bytes_total"),
    Node(kHostDiskWrittenBytes, "node_disk_written_bytes_total"),
    Node(kHostDiskIoTime, "node_disk_io_time_seconds_total"),
    Node(kHostNetworkReceiveBytes, "node_network_receive_bytes_total"),
    Node(kHostNetworkReceivePackets, "node_network_receive_packets_total"),
    Node(kHostNetworkReceiveErrors, "node_network_receive_errs_total"),
    Node(kHostNetworkReceiveDrops, "node_network_receive_drop_total"),
    Node(kHostNetworkTransmitBytes, "node_network_transmit_bytes_total"),
    Node(kHostNetworkTransmitPackets, "node_network_transmit_packets_total"),
    Node(kHostNetworkTransmitErrors, "node_network_transmit_errs_total"),
    Node(kHostNetworkTransmitDrops, "node_network_transmit_drop_total"),
    Node(kHostHwmonTemperature, "node_hwmon_temp_celsius"),
    Node(kHostHwmonChipInfo, "node_hwmon_chip_names"),
    Node(kHostHwmonSensorInfo, "node_hwmon_sensor_label"),
    Node(kHostThermalZoneTemperature, "node_thermal_zone_temp"),
    Node(kHostCoreThrottles, "node_cpu_core_throttles_total"),
    Node(kHostCpuWaiting, "node_pressure_cpu_waiting_seconds_total"),
    Node(kHostIoWaiting, "node_pressure_io_waiting_seconds_total"),
    Node(kHostMemoryWaiting, "node_pressure_memory_waiting_seconds_total"),
    Node(kHostFileHandles, "node_filefd_allocated"),
    Node(kHostFileHandlesLimit, "node_filefd_maximum"),
    Node(kHostBootTime, "node_boot_time_seconds"),
    Node(kHostTime, "node_time_seconds"),
    Node(kHostUnameInfo, "node_uname_info"),
    Node(kHostOsInfo, "node_os_info"),
};

}  // namespace

std::span<const ViewRow> DeviceViewRows() { return kRows; }

}  // namespace hearth::metrics
