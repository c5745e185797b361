#include <array>
#include <cstring>
#include <ratio>

#include "firmware/device/nvml_functions.h"

namespace hearth::device {
namespace {

using nvml::Device;
using nvml::Return;
using Value = GpuReading::Value;

// `raw` in base units, left out where the driver says "not available". Multiplies before it
// divides, so that 100 % is 1 and 1500 mW is 1.5 W exactly.
template <typename Unit>
Value InUnits(unsigned raw) {
  if (raw == nvml::kNotAvailable32) return std::nullopt;
  return static_cast<double>(raw) * Unit::num / Unit::den;
}
template <typename Unit>
Value InUnits(unsigned long long raw) {
  if (raw == nvml::kNotAvailable64) return std::nullopt;
  return static_cast<double>(raw) * Unit::num / Unit::den;
}

using One = std::ratio<1>;

// The value a function leaves in its last parameter, a count of `Unit`.
template <typename Unit, typename Raw = unsigned, typename Function, typename... Arguments>
Value Get(Function* function, Device device, Arguments... arguments) {
  Raw raw = 0;
  if (!Answers(function, device, arguments..., &raw)) return std::nullopt;
  return InUnits<Unit>(raw);
}

Value FromField(const nvml::FieldValue& field) {
  switch (field.value_type) {
    case nvml::kDouble:
      return field.value.as_double;
    case nvml::kUnsignedInt:
      return InUnits<One>(field.value.as_unsigned);
    case nvml::kUnsignedLong:
      return InUnits<One>(static_cast<unsigned long long>(field.value.as_unsigned_long));
    case nvml::kUnsignedLongLong:
      return InUnits<One>(field.value.as_unsigned_long_long);
    case nvml::kSignedLongLong:
      return static_cast<double>(field.value.as_long_long);
    case nvml::kSignedInt:
      return static_cast<double>(field.value.as_int);
    case nvml::kUnsignedShort:
      return static_cast<double>(field.value.as_unsigned_short);
  }
  return std::nullopt;  // a type of a later driver
}

// Bytes per entry of the process list the driver wrote into `buffer`, which held only `sentinel`
// before: its length tells which struct this driver means. 0 when it fits none.
size_t ProcessInfoStride(const std::vector<unsigned char>& buffer, unsigned char sentinel,
                         unsigned count) {
  size_t written = buffer.size();
  while (written > 0 && buffer[written - 1] == sentinel) --written;
  for (const size_t stride : nvml::kProcessInfoStrides) {
    if (written == stride * count) return stride;
  }
  return 0;
}

}  // namespace

GpuReading Nvml::Reader::Read(unsigned index, const std::string& driver_version,
                              const ReadOptions& options) const {
  GpuReading reading;
  reading.identity = Identity(index, driver_version);
  ReadUtilization(&reading);
  ReadMemory(&reading);
  reading.sm_clock_hertz = Get<std::mega>(nvml_.clock, device_, nvml::kClockSm);
  reading.memory_clock_hertz = Get<std::mega>(nvml_.clock, device_, nvml::kClockMemory);
  reading.temperature_celsius = Temperature();
  reading.memory_temperature_celsius = Field(nvml::kFieldMemoryTemperature);
  reading.power_watts = Get<std::milli>(nvml_.power, device_);
  reading.power_limit_watts = Get<std::milli>(nvml_.power_limit, device_);
  reading.energy_joules = Get<std::milli, unsigned long long>(nvml_.energy, device_);
  reading.fan_ratio = Get<std::centi>(nvml_.fan, device_);
  ReadPcie(options, &reading);
  ReadHealth(&reading);
  ReadViolations(&reading);
  reading.processes = Processes();
  return reading;
}

GpuIdentity Nvml::Reader::Identity(unsigned index, const std::string& driver_version) const {
  GpuIdentity identity;
  identity.index = static_cast<int>(index);
  identity.driver_version = driver_version;
  std::array<char, nvml::kNameBytes> name{};
  if (Answers(nvml_.name, device_, name.data(), nvml::kNameBytes)) identity.name = name.data();
  std::array<char, nvml::kUuidBytes> uuid{};
  if (Answers(nvml_.uuid, device_, uuid.data(), nvml::kUuidBytes)) identity.uuid = uuid.data();
  nvml::PciInfo pci{};
  if (Answers(nvml_.pci_info, device_, &pci)) identity.pci_bus_id = pci.bus_id;
  unsigned minor = 0;
  if (Answers(nvml_.minor_number, device_, &minor)) identity.minor_number = minor;
  return identity;
}

void Nvml::Reader::ReadUtilization(GpuReading* reading) const {
  nvml::Utilization utilization{};
  if (Answers(nvml_.utilization, device_, &utilization)) {
    reading->utilization_ratio = InUnits<std::centi>(utilization.gpu);
    reading->memory_utilization_ratio = InUnits<std::centi>(utilization.memory);
  }
  const auto codec = [this](Return (*function)(Device, unsigned*, unsigned*)) -> Value {
    unsigned percent = 0, sampling_period_us = 0;
    if (!Answers(function, device_, &percent, &sampling_period_us)) return std::nullopt;
    return InUnits<std::centi>(percent);
  };
  reading->encoder_utilization_ratio = codec(nvml_.encoder_utilization);
  reading->decoder_utilization_ratio = codec(nvml_.decoder_utilization);
}

void Nvml::Reader::ReadMemory(GpuReading* reading) const {
  nvml::MemoryV2 v2{};
  v2.version = nvml::StructVersion(sizeof(v2), 2);
  nvml::Memory v1{};
  if (Answers(nvml_.memory_v2, device_, &v2)) {
    reading->memory_total_bytes = InUnits<One>(v2.total);
    reading->memory_free_bytes = InUnits<One>(v2.free);
    reading->memory_used_bytes = InUnits<One>(v2.used);
    reading->memory_reserved_bytes = InUnits<One>(v2.reserved);
  } else if (Answers(nvml_.memory, device_, &v1)) {
    reading->memory_total_bytes = InUnits<One>(v1.total);
    reading->memory_free_bytes = InUnits<One>(v1.free);
    reading->memory_used_bytes = InUnits<One>(v1.used);
  }
}

void Nvml::Reader::ReadPcie(const ReadOptions& options, GpuReading* reading) const {
  reading->pcie_link_generation = Get<One>(nvml_.pcie_generation, device_);
  reading->pcie_link_width = Get<One>(nvml_.pcie_width, device_);
  reading->pcie_replays = Get<One>(nvml_.pcie_replays, device_);
  if (!options.pcie_throughput) return;
  reading->pcie_transmit_bytes_per_second =
      Get<std::kilo>(nvml_.pcie_throughput, device_, nvml::kPcieTransmit);
  reading->pcie_receive_bytes_per_second =
      Get<std::kilo>(nvml_.pcie_throughput, device_, nvml::kPcieReceive);
}

void Nvml::Reader::ReadHealth(GpuReading* reading) const {
  unsigned state = 0;
  if (Answers(nvml_.performance_state, device_, &state) && state < nvml::kPerformanceStateUnknown) {
    reading->performance_state = state;
  }
  unsigned correctable = 0, uncorrectable = 0, pending = 0, failed = 0;
  if (Answers(nvml_.remapped_rows, device_, &correctable, &uncorrectable, &pending, &failed)) {
    reading->remapped_rows_correctable = correctable;
    reading->remapped_rows_uncorrectable = uncorrectable;
    reading->row_remap_pending = pending != 0;
    reading->row_remap_failed = failed != 0;
  }
  const auto ecc = [this](nvml::MemoryError error, nvml::EccCounter counter) {
    return Get<One, unsigned long long>(nvml_.ecc_errors, device_, error, counter);
  };
  reading->ecc_volatile_corrected = ecc(nvml::kErrorCorrected, nvml::kEccVolatile);
  reading->ecc_volatile_uncorrected = ecc(nvml::kErrorUncorrected, nvml::kEccVolatile);
  reading->ecc_aggregate_corrected = ecc(nvml::kErrorCorrected, nvml::kEccAggregate);
  reading->ecc_aggregate_uncorrected = ecc(nvml::kErrorUncorrected, nvml::kEccAggregate);
  unsigned long long reasons = 0;
  if (Answers(nvml_.clocks_event_reasons, device_, &reasons)) {
    reading->clocks_event_reasons = reasons;
  }
}

// nvmlDeviceGetViolationStatus is what DCGM's *_VIOLATION are; CUDA 13 declares it to go and names
// the field ids that take over.
void Nvml::Reader::ReadViolations(GpuReading* reading) const {
  const auto seconds = [](Value nanoseconds) {
    return nanoseconds ? Value(*nanoseconds / 1e9) : std::nullopt;
  };
  const auto violation = [&](nvml::PerfPolicy policy, std::optional<unsigned> successor) -> Value {
    nvml::ViolationTime time{};
    if (Answers(nvml_.violation, device_, policy, &time)) {
      return InUnits<std::nano>(time.violation_time);
    }
    return successor ? seconds(Field(*successor)) : std::nullopt;
  };
  reading->violation_seconds = {
      violation(nvml::kPolicyPower, nvml::kFieldSwPowerCap),
      violation(nvml::kPolicyThermal, nvml::kFieldSwThermalSlowdown),
      violation(nvml::kPolicySyncBoost, nvml::kFieldSyncBoost),
      violation(nvml::kPolicyBoardLimit, std::nullopt),
      violation(nvml::kPolicyReliability, std::nullopt),
      seconds(Field(nvml::kFieldHwThermalSlowdown)),
      seconds(Field(nvml::kFieldHwPowerBrakeSlowdown)),
  };
}

Value Nvml::Reader::Temperature() const {
  if (const Value value = Get<One>(nvml_.temperature, device_, nvml::kTemperatureGpu)) return value;
  nvml::TemperatureV1 v1{nvml::StructVersion(sizeof(nvml::TemperatureV1), 1), nvml::kTemperatureGpu,
                         0};
  if (!Answers(nvml_.temperature_v, device_, &v1)) return std::nullopt;
  return v1.temperature;
}

Value Nvml::Reader::Field(unsigned id) const {
  nvml::FieldValue field{};
  field.field_id = id;
  if (!Answers(nvml_.field_values, device_, 1, &field) || field.result != nvml::kSuccess) {
    return std::nullopt;
  }
  return FromField(field);
}

std::optional<std::vector<GpuProcess>> Nvml::Reader::Processes() const {
  constexpr unsigned char kSentinel = 0xaa;
  std::vector<unsigned char> buffer(kGpuProcessesMax * nvml::kProcessInfoStrideMax, kSentinel);
  unsigned count = kGpuProcessesMax;
  if (!Answers(nvml_.processes, device_, &count, static_cast<void*>(buffer.data())) ||
      count > kGpuProcessesMax) {
    return std::nullopt;
  }
  std::vector<GpuProcess> processes;
  if (count == 0) return processes;
  const size_t stride = ProcessInfoStride(buffer, kSentinel, count);
  if (stride == 0) return std::nullopt;
  for (unsigned i = 0; i < count; ++i) {
    nvml::ProcessInfo info{};
    std::memcpy(&info, buffer.data() + i * stride, sizeof(info));
    if (const Value bytes = InUnits<One>(info.used_memory)) {
      processes.push_back({static_cast<int64_t>(info.pid), *bytes});
    }
  }
  return processes;
}

}  // namespace hearth::device
