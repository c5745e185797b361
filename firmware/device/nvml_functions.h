// The functions of libnvidia-ml that Hearth calls; null where this driver lacks one.
#pragma once

#include "firmware/device/nvml.h"

namespace hearth::device {

struct Nvml::Functions {
  using Device = nvml::Device;
  using Return = nvml::Return;

  Return (*init)();
  Return (*shutdown)();
  Return (*driver_version)(char*, unsigned length);
  Return (*count)(unsigned*);
  Return (*handle)(unsigned index, Device*);
  Return (*name)(Device, char*, unsigned length);
  Return (*uuid)(Device, char*, unsigned length);
  Return (*pci_info)(Device, nvml::PciInfo*);
  Return (*minor_number)(Device, unsigned*);
  Return (*utilization)(Device, nvml::Utilization*);
  Return (*encoder_utilization)(Device, unsigned* percent, unsigned* sampling_period_us);
  Return (*decoder_utilization)(Device, unsigned* percent, unsigned* sampling_period_us);
  Return (*memory)(Device, nvml::Memory*);
  Return (*memory_v2)(Device, nvml::MemoryV2*);
  Return (*clock)(Device, nvml::Clock, unsigned* mhz);
  Return (*temperature)(Device, nvml::TemperatureSensor, unsigned* celsius);
  Return (*temperature_v)(Device, nvml::TemperatureV1*);
  Return (*power)(Device, unsigned* milliwatts);
  Return (*power_limit)(Device, unsigned* milliwatts);
  Return (*energy)(Device, unsigned long long* millijoules);
  Return (*fan)(Device, unsigned* percent);
  Return (*performance_state)(Device, unsigned*);
  Return (*pcie_generation)(Device, unsigned*);
  Return (*pcie_width)(Device, unsigned*);
  Return (*pcie_replays)(Device, unsigned*);
  Return (*pcie_throughput)(Device, nvml::PcieCounter, unsigned* kilobytes_per_second);
  Return (*remapped_rows)(Device, unsigned* correctable, unsigned* uncorrectable, unsigned* pending,
                          unsigned* failed);
  Return (*ecc_errors)(Device, nvml::MemoryError, nvml::EccCounter, unsigned long long*);
  Return (*clocks_event_reasons)(Device, unsigned long long*);
  Return (*violation)(Device, nvml::PerfPolicy, nvml::ViolationTime*);
  Return (*field_values)(Device, int count, nvml::FieldValue*);
  Return (*processes)(Device, unsigned* count, void* infos);
  Return (*event_set_create)(nvml::EventSet*);
  Return (*event_set_free)(nvml::EventSet);
  Return (*register_events)(Device, unsigned long long types, nvml::EventSet);
  Return (*event_set_wait)(nvml::EventSet, nvml::EventData*, unsigned timeout_ms);

  explicit Functions(void* library);
};

// Calls a function that may be absent; true when it filled its results.
template <typename... Parameters, typename... Arguments>
bool Answers(nvml::Return (*function)(Parameters...), Arguments... arguments) {
  return function != nullptr && function(arguments...) == nvml::kSuccess;
}

// Reads one GPU.
class Nvml::Reader {
 public:
  Reader(const Functions& functions, nvml::Device device) : nvml_(functions), device_(device) {}

  GpuReading Read(unsigned index, const std::string& driver_version,
                  const ReadOptions& options) const;

 private:
  using Value = GpuReading::Value;

  GpuIdentity Identity(unsigned index, const std::string& driver_version) const;
  void ReadUtilization(GpuReading* reading) const;
  void ReadMemory(GpuReading* reading) const;
  void ReadPcie(const ReadOptions& options, GpuReading* reading) const;
  void ReadHealth(GpuReading* reading) const;
  void ReadViolations(GpuReading* reading) const;
  Value Temperature() const;
  Value Field(unsigned id) const;
  std::optional<std::vector<GpuProcess>> Processes() const;

  const Functions& nvml_;
  const nvml::Device device_;
};

}  // namespace hearth::device
