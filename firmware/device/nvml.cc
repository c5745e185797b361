#include "firmware/device/nvml.h"

#include <dlfcn.h>

#include <algorithm>

#include "base/check.h"
#include "firmware/device/nvml_functions.h"

namespace hearth::device {
namespace {

// The first of the symbols that the library has: newest first.
template <typename Function>
void Probe(void* library, std::initializer_list<const char*> symbols, Function*& function) {
  function = nullptr;
  for (const char* const symbol : symbols) {
    if (function == nullptr) function = reinterpret_cast<Function*>(dlsym(library, symbol));
  }
}

Status NoAnswer(std::string_view call, nvml::Return code) {
  return Unavailable("the NVIDIA driver does not answer: " + std::string(call) +
                     " gave NVML error " + std::to_string(code) + "; see dmesg and nvidia-smi");
}

}  // namespace

Nvml::Functions::Functions(void* library) {
  const auto probe = [library](auto& function, std::initializer_list<const char*> symbols) {
    Probe(library, symbols, function);
  };
  probe(init, {"nvmlInit_v2"});
  probe(shutdown, {"nvmlShutdown"});
  probe(driver_version, {"nvmlSystemGetDriverVersion"});
  probe(count, {"nvmlDeviceGetCount_v2"});
  probe(handle, {"nvmlDeviceGetHandleByIndex_v2"});
  probe(name, {"nvmlDeviceGetName"});
  probe(uuid, {"nvmlDeviceGetUUID"});
  probe(pci_info, {"nvmlDeviceGetPciInfo_v3"});
  probe(minor_number, {"nvmlDeviceGetMinorNumber"});
  probe(utilization, {"nvmlDeviceGetUtilizationRates"});
  probe(encoder_utilization, {"nvmlDeviceGetEncoderUtilization"});
  probe(decoder_utilization, {"nvmlDeviceGetDecoderUtilization"});
  probe(memory, {"nvmlDeviceGetMemoryInfo"});
  probe(memory_v2, {"nvmlDeviceGetMemoryInfo_v2"});
  probe(clock, {"nvmlDeviceGetClockInfo"});
  probe(temperature, {"nvmlDeviceGetTemperature"});
  probe(temperature_v, {"nvmlDeviceGetTemperatureV"});
  probe(power, {"nvmlDeviceGetPowerUsage"});
  probe(power_limit, {"nvmlDeviceGetEnforcedPowerLimit"});
  probe(energy, {"nvmlDeviceGetTotalEnergyConsumption"});
  probe(fan, {"nvmlDeviceGetFanSpeed"});
  probe(performance_state, {"nvmlDeviceGetPerformanceState"});
  probe(pcie_generation, {"nvmlDeviceGetCurrPcieLinkGeneration"});
  probe(pcie_width, {"nvmlDeviceGetCurrPcieLinkWidth"});
  probe(pcie_replays, {"nvmlDeviceGetPcieReplayCounter"});
  probe(pcie_throughput, {"nvmlDeviceGetPcieThroughput"});
  probe(remapped_rows, {"nvmlDeviceGetRemappedRows"});
  probe(ecc_errors, {"nvmlDeviceGetTotalEccErrors"});
  probe(clocks_event_reasons,
        {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"});
  probe(violation, {"nvmlDeviceGetViolationStatus"});
  probe(field_values, {"nvmlDeviceGetFieldValues"});
  probe(processes,
        {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2",
         "nvmlDeviceGetComputeRunningProcesses"});
  probe(event_set_create, {"nvmlEventSetCreate"});
  probe(event_set_free, {"nvmlEventSetFree"});
  probe(register_events, {"nvmlDeviceRegisterEvents"});
  // The first version fills the first 24 bytes of the second's struct.
  probe(event_set_wait, {"nvmlEventSetWait_v2", "nvmlEventSetWait"});
}

Nvml::Nvml(void* library, std::unique_ptr<Functions> functions)
    : library_(library), functions_(std::move(functions)) {}

Nvml::~Nvml() {
  if (events_ != nullptr) Answers(functions_->event_set_free, events_);
  Answers(functions_->shutdown);
  dlclose(library_);
}

Result<std::unique_ptr<Nvml>> Nvml::Load(const std::string& library) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return NotFound("no NVIDIA management library: " + std::string(dlerror()));
  auto functions = std::make_unique<Functions>(handle);
  if (functions->init == nullptr || functions->count == nullptr || functions->handle == nullptr) {
    dlclose(handle);
    return Unavailable("'" + library + "' lacks nvmlInit_v2, nvmlDeviceGetCount_v2 or " +
                       "nvmlDeviceGetHandleByIndex_v2: install an NVIDIA driver of this decade");
  }
  if (const nvml::Return code = functions->init(); code != nvml::kSuccess) {
    dlclose(handle);
    return NoAnswer("nvmlInit_v2", code);
  }
  return std::unique_ptr<Nvml>(new Nvml(handle, std::move(functions)));
}

Result<std::vector<GpuReading>> Nvml::Read(const ReadOptions& options) const {
  unsigned count = 0;
  if (const nvml::Return code = functions_->count(&count); code != nvml::kSuccess) {
    return NoAnswer("nvmlDeviceGetCount_v2", code);
  }
  std::array<char, nvml::kDriverVersionBytes> version{};
  Answers(functions_->driver_version, version.data(), nvml::kDriverVersionBytes);
  std::vector<GpuReading> readings;
  for (unsigned i = 0; i < std::min(count, kGpusMax); ++i) {
    nvml::Device device = nullptr;
    if (!Answers(functions_->handle, i, &device)) continue;  // lost; the others still answer
    readings.push_back(Reader(*functions_, device).Read(i, version.data(), options));
  }
  return readings;
}

std::vector<int> Nvml::StartXidEvents() {
  CHECK(events_ == nullptr);
  unsigned count = 0;
  if (functions_->event_set_wait == nullptr || !Answers(functions_->count, &count) ||
      !Answers(functions_->event_set_create, &events_)) {
    return {};
  }
  std::vector<int> indices;
  for (unsigned i = 0; i < std::min(count, kGpusMax); ++i) {
    nvml::Device device = nullptr;
    if (Answers(functions_->handle, i, &device) &&
        Answers(functions_->register_events, device, nvml::kEventXidCriticalError, events_)) {
      watched_[device] = static_cast<int>(i);
      indices.push_back(static_cast<int>(i));
    }
  }
  return indices;
}

Result<std::optional<XidEvent>> Nvml::WaitForXid(std::chrono::milliseconds timeout) const {
  CHECK(events_ != nullptr);
  nvml::EventData event{};
  const nvml::Return code =
      functions_->event_set_wait(events_, &event, static_cast<unsigned>(timeout.count()));
  if (code == nvml::kTimeout) return std::optional<XidEvent>();
  if (code != nvml::kSuccess) return NoAnswer("nvmlEventSetWait_v2", code);
  const auto gpu = watched_.find(event.device);
  if (event.type != nvml::kEventXidCriticalError || gpu == watched_.end()) {
    return std::optional<XidEvent>();
  }
  return std::optional(XidEvent{gpu->second, event.data});
}

}  // namespace hearth::device
