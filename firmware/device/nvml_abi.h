// What Hearth uses of NVML's binary interface: structs, enum values and function types.
//
// Facts from NVIDIA's NVML API Reference Guide vR590 (docs.nvidia.com/deploy/nvml-api), checked
// against the nvml.h of CUDA 13. The driver writes through these layouts, so each size is asserted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::device::nvml {

using Return = int;
inline constexpr Return kSuccess = 0;
inline constexpr Return kInsufficientSize = 7;
inline constexpr Return kTimeout = 10;

using Device = struct DeviceHandle*;
using EventSet = struct EventSetHandle*;

// NVML_VALUE_NOT_AVAILABLE (-1) in an unsigned field.
inline constexpr unsigned kNotAvailable32 = ~0u;
inline constexpr unsigned long long kNotAvailable64 = ~0ull;

// A versioned struct names its own size and version in its first field (NVML_STRUCT_VERSION).
constexpr unsigned StructVersion(size_t size, unsigned version) {
  return static_cast<unsigned>(size) | version << 24;
}

inline constexpr unsigned kNameBytes = 96;           // NVML_DEVICE_NAME_V2_BUFFER_SIZE
inline constexpr unsigned kUuidBytes = 96;           // NVML_DEVICE_UUID_V2_BUFFER_SIZE
inline constexpr unsigned kDriverVersionBytes = 80;  // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

enum Clock : int { kClockSm = 1, kClockMemory = 2 };
enum TemperatureSensor : int { kTemperatureGpu = 0 };
enum PcieCounter : int { kPcieTransmit = 0, kPcieReceive = 1 };
enum MemoryError : int { kErrorCorrected = 0, kErrorUncorrected = 1 };
enum EccCounter : int { kEccVolatile = 0, kEccAggregate = 1 };
enum PerfPolicy : int {
  kPolicyPower = 0,
  kPolicyThermal = 1,
  kPolicySyncBoost = 2,
  kPolicyBoardLimit = 3,
  kPolicyReliability = 5,
};
inline constexpr unsigned kPerformanceStateUnknown = 32;
inline constexpr unsigned long long kEventXidCriticalError = 8;

// Field ids of nvmlDeviceGetFieldValues.
inline constexpr unsigned kFieldMemoryTemperature = 82;
inline constexpr unsigned kFieldSwPowerCap = 74;             // ns
inline constexpr unsigned kFieldSyncBoost = 76;              // ns
inline constexpr unsigned kFieldSwThermalSlowdown = 269;     // ns
inline constexpr unsigned kFieldHwThermalSlowdown = 270;     // ns
inline constexpr unsigned kFieldHwPowerBrakeSlowdown = 271;  // ns

struct Utilization {
  unsigned gpu;     // percent
  unsigned memory;  // percent
};
static_assert(sizeof(Utilization) == 8);

struct Memory {
  unsigned long long total, free, used;  // bytes; used includes what the driver reserves
};
static_assert(sizeof(Memory) == 24);

struct MemoryV2 {
  unsigned version;                                // StructVersion(sizeof(MemoryV2), 2)
  unsigned long long total, reserved, free, used;  // bytes
};
static_assert(sizeof(MemoryV2) == 40 && offsetof(MemoryV2, total) == 8);

struct TemperatureV1 {
  unsigned version;  // StructVersion(sizeof(TemperatureV1), 1)
  int sensor;
  int temperature;  // °C
};
static_assert(sizeof(TemperatureV1) == 12);

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];  // "00000000:00:1E.0"
};
static_assert(sizeof(PciInfo) == 68 && offsetof(PciInfo, bus_id) == 36);

struct ViolationTime {
  unsigned long long reference_time;  // µs
  unsigned long long violation_time;  // ns
};
static_assert(sizeof(ViolationTime) == 16);

enum ValueType : int {
  kDouble = 0,
  kUnsignedInt = 1,
  kUnsignedLong = 2,
  kUnsignedLongLong = 3,
  kSignedLongLong = 4,
  kSignedInt = 5,
  kUnsignedShort = 6,
};

union Value {
  double as_double;
  int as_int;
  unsigned as_unsigned;
  unsigned long as_unsigned_long;
  unsigned long long as_unsigned_long_long;
  long long as_long_long;
  unsigned short as_unsigned_short;
};
static_assert(sizeof(Value) == 8);

struct FieldValue {
  unsigned field_id;
  unsigned scope_id;
  long long timestamp;     // µs
  long long latency_usec;  // µs
  int value_type;          // ValueType
  Return result;           // of this field alone
  Value value;
};
static_assert(sizeof(FieldValue) == 40 && offsetof(FieldValue, value) == 32);

// An entry of nvmlDeviceGetComputeRunningProcesses: every version begins so. Its stride is 16 bytes
// in the first version and 24 in the second (two instance ids more). The third takes 24 bytes
// again, but 32 with the drivers of R535 that put a protected-memory count behind them without a
// new name (github.com/XuehaiPan/nvitop pull 79 and 226).
struct ProcessInfo {
  unsigned pid;
  unsigned long long used_memory;  // bytes, or kNotAvailable64
};
static_assert(sizeof(ProcessInfo) == 16);
inline constexpr size_t kProcessInfoStrides[] = {16, 24, 32};
inline constexpr size_t kProcessInfoStrideMax = 32;

struct EventData {
  Device device;
  unsigned long long type;
  unsigned long long data;  // the XID; 999 when unknown
  unsigned gpu_instance_id, compute_instance_id;
};
static_assert(sizeof(EventData) == 32);

}  // namespace hearth::device::nvml
