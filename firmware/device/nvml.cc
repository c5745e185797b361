#include "firmware/device/nvml.h"

#include <dlfcn.h>

#include <array>

#include "base/log.h"

namespace hearth::device {
namespace {

using DeviceHandle = void*;
constexpr int kSuccess = 0;
constexpr int kTemperatureGpu = 0;  // the die
constexpr size_t kNameBytes = 96;   // NVML_DEVICE_NAME_V2_BUFFER_SIZE

struct Utilization {
  unsigned gpu;     // percent
  unsigned memory;  // percent
};

struct Memory {
  unsigned long long total, free, used;  // bytes
};

template <typename Function>
void Probe(void* handle, const char* symbol, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(handle, symbol));
}

}  // namespace

struct Nvml::Functions {
  int (*init)();
  int (*shutdown)();
  int (*get_count)(unsigned*);
  int (*get_handle)(unsigned, DeviceHandle*);
  int (*get_name)(DeviceHandle, char*, unsigned);
  int (*get_utilization)(DeviceHandle, Utilization*);
  int (*get_memory)(DeviceHandle, Memory*);
  int (*get_temperature)(DeviceHandle, int, unsigned*);
  int (*get_power)(DeviceHandle, unsigned*);  // milliwatts

  explicit Functions(void* handle) {
    Probe(handle, "nvmlInit_v2", init);
    Probe(handle, "nvmlShutdown", shutdown);
    Probe(handle, "nvmlDeviceGetCount_v2", get_count);
    Probe(handle, "nvmlDeviceGetHandleByIndex_v2", get_handle);
    Probe(handle, "nvmlDeviceGetName", get_name);
    Probe(handle, "nvmlDeviceGetUtilizationRates", get_utilization);
    Probe(handle, "nvmlDeviceGetMemoryInfo", get_memory);
    Probe(handle, "nvmlDeviceGetTemperature", get_temperature);
    Probe(handle, "nvmlDeviceGetPowerUsage", get_power);
  }
};

Nvml::Nvml(void* handle, std::unique_ptr<Functions> functions)
    : handle_(handle), functions_(std::move(functions)) {}

Nvml::~Nvml() {
  if (functions_->shutdown != nullptr) functions_->shutdown();
  dlclose(handle_);
}

std::unique_ptr<Nvml> Nvml::Load(const char* library) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  auto functions = std::make_unique<Functions>(handle);
  if (functions->init == nullptr || functions->get_count == nullptr ||
      functions->get_handle == nullptr || functions->init() != kSuccess) {
    LOG(kWarning) << "the NVIDIA management library is installed but does not start; GPU readings are "
                     "left out";
    dlclose(handle);
    return nullptr;
  }
  return std::unique_ptr<Nvml>(new Nvml(handle, std::move(functions)));
}

std::vector<GpuReading> Nvml::Read() const {
  const Functions& nvml = *functions_;
  std::vector<GpuReading> readings;
  unsigned count = 0;
  if (nvml.get_count(&count) != kSuccess) return readings;
  for (unsigned i = 0; i < count; ++i) {
    DeviceHandle device = nullptr;
    if (nvml.get_handle(i, &device) != kSuccess) continue;
    GpuReading& reading = readings.emplace_back();
    reading.index = static_cast<int>(i);
    std::array<char, kNameBytes> name{};
    if (nvml.get_name != nullptr && nvml.get_name(device, name.data(), kNameBytes) == kSuccess) {
      reading.name = name.data();
    }
    Utilization utilization{};
    if (nvml.get_utilization != nullptr && nvml.get_utilization(device, &utilization) == kSuccess) {
      reading.utilization_ratio = utilization.gpu / 100.0;
    }
    Memory memory{};
    if (nvml.get_memory != nullptr && nvml.get_memory(device, &memory) == kSuccess) {
      reading.memory_used_bytes = static_cast<double>(memory.used);
      reading.memory_total_bytes = static_cast<double>(memory.total);
    }
    unsigned value = 0;
    if (nvml.get_temperature != nullptr &&
        nvml.get_temperature(device, kTemperatureGpu, &value) == kSuccess) {
      reading.temperature_celsius = value;
    }
    if (nvml.get_power != nullptr && nvml.get_power(device, &value) == kSuccess) {
      reading.power_watts = value / 1000.0;
    }
  }
  return readings;
}

}  // namespace hearth::device
