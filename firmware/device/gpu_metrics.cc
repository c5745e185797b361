#include "firmware/device/device_metrics.h"
#include "firmware/metrics/name_views.h"

namespace hearth::device {
namespace {

using enum metrics::MetricId;
using Value = GpuReading::Value;

struct Row {
  metrics::MetricId id;
  Value GpuReading::*value;
};

constexpr Row kRows[] = {
    {kGpuUtilization, &GpuReading::utilization_ratio},
    {kGpuMemoryUtilization, &GpuReading::memory_utilization_ratio},
    {kGpuEncoderUtilization, &GpuReading::encoder_utilization_ratio},
    {kGpuDecoderUtilization, &GpuReading::decoder_utilization_ratio},
    {kGpuMemoryTotal, &GpuReading::memory_total_bytes},
    {kGpuMemoryFree, &GpuReading::memory_free_bytes},
    {kGpuMemoryUsed, &GpuReading::memory_used_bytes},
    {kGpuMemoryReserved, &GpuReading::memory_reserved_bytes},
    {kGpuSmClock, &GpuReading::sm_clock_hertz},
    {kGpuMemoryClock, &GpuReading::memory_clock_hertz},
    {kGpuTemperature, &GpuReading::temperature_celsius},
    {kGpuMemoryTemperature, &GpuReading::memory_temperature_celsius},
    {kGpuPower, &GpuReading::power_watts},
    {kGpuPowerLimit, &GpuReading::power_limit_watts},
    {kGpuEnergy, &GpuReading::energy_joules},
    {kGpuFan, &GpuReading::fan_ratio},
    {kGpuPerformanceState, &GpuReading::performance_state},
    {kGpuPcieLinkGeneration, &GpuReading::pcie_link_generation},
    {kGpuPcieLinkWidth, &GpuReading::pcie_link_width},
    {kGpuPcieReplays, &GpuReading::pcie_replays},
    {kGpuPcieTransmit, &GpuReading::pcie_transmit_bytes_per_second},
    {kGpuPcieReceive, &GpuReading::pcie_receive_bytes_per_second},
    {kGpuCorrectableRemappedRows, &GpuReading::remapped_rows_correctable},
    {kGpuUncorrectableRemappedRows, &GpuReading::remapped_rows_uncorrectable},
    {kGpuRowRemapPending, &GpuReading::row_remap_pending},
    {kGpuRowRemapFailure, &GpuReading::row_remap_failed},
    {kGpuEccVolatileCorrected, &GpuReading::ecc_volatile_corrected},
    {kGpuEccVolatileUncorrected, &GpuReading::ecc_volatile_uncorrected},
    {kGpuEccAggregateCorrected, &GpuReading::ecc_aggregate_corrected},
    {kGpuEccAggregateUncorrected, &GpuReading::ecc_aggregate_uncorrected},
};

std::string DeviceName(const GpuIdentity& identity) {
  return identity.minor_number ? "nvidia" + std::to_string(*identity.minor_number) : "";
}

void SetIdentity(const GpuIdentity& identity, Readings* readings) {
  const std::string gpu = std::to_string(identity.index);
  readings->Set(kGpuInfo,
                {gpu, identity.uuid, identity.name, identity.pci_bus_id, DeviceName(identity),
                 identity.driver_version},
                1);
  const std::string prefix = "gpu" + gpu + ".";
  metrics::SetViewFact(prefix + "name", identity.name);
  metrics::SetViewFact(prefix + "pci_bus_id", identity.pci_bus_id);
  metrics::SetViewFact(prefix + "device", DeviceName(identity));
  metrics::SetViewFact(prefix + "driver_version", identity.driver_version);
}

void SetReading(const GpuReading& reading, std::span<const EngineProcess> engines,
                Readings* readings) {
  const std::string gpu = std::to_string(reading.identity.index);
  const std::string& uuid = reading.identity.uuid;
  for (const Row& row : kRows) readings->Set(row.id, {gpu, uuid}, reading.*row.value);
  if (reading.clocks_event_reasons) {
    for (const ClocksEventReason& reason : kClocksEventReasons) {
      readings->Set(kGpuClocksEventReason, {gpu, uuid, std::string(reason.name)},
                    (*reading.clocks_event_reasons & reason.bit) != 0);
    }
  }
  for (size_t i = 0; i < kViolations.size(); ++i) {
    readings->Set(kGpuViolationSeconds, {gpu, uuid, std::string(kViolations[i])},
                  reading.violation_seconds[i]);
  }
  if (!reading.processes) return;
  for (const EngineProcess& engine : engines) {
    for (const GpuProcess& process : *reading.processes) {
      if (process.pid != engine.pid) continue;
      readings->Set(kEngineGpuMemory, {engine.model_name, engine.engine, gpu, uuid},
                    process.memory_bytes);
    }
  }
}

void SetXids(int index, const std::string& uuid, const XidCounts& xids, Readings* readings) {
  const std::string gpu = std::to_string(index);
  readings->Set(kGpuLastXid, {gpu, uuid}, static_cast<double>(xids.last));
  for (const auto& [code, count] : xids.by_code) {
    readings->Set(kGpuXidErrors, {gpu, uuid, std::to_string(code)}, static_cast<double>(count));
  }
  if (xids.uncounted > 0) {
    readings->Set(kGpuXidErrors, {gpu, uuid, "other"}, static_cast<double>(xids.uncounted));
  }
}

}  // namespace

void SetGpuMetrics(const GpuState& state, std::span<const EngineProcess> engines,
                   Readings* readings) {
  readings->Set(kGpuReadingAge, {}, state.age_seconds);
  for (const auto& [index, identity] : state.identities) {
    SetIdentity(identity, readings);
    // Without an identity the series would change its uuid once that is known.
    const auto xids = state.xids.find(index);
    if (xids != state.xids.end()) SetXids(index, identity.uuid, xids->second, readings);
  }
  for (const GpuReading& reading : state.readings) SetReading(reading, engines, readings);
}

}  // namespace hearth::device
