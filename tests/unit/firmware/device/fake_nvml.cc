// A libnvidia-ml.so.1 for boxes without the hardware: the symbols and layouts of NVML's API
// reference, written down here once more so that it judges firmware/device/nvml_abi.h, and values
// of an A10G that move.
//
// FAKE_NVML_SCRIPT names a file read at every call; a line is one of
//   gpus <n>                      default 1
//   fail <symbol> <code>          the call returns this NVML error
//   hang <symbol>                 the call does not return while the line is there; a file with the
//                                 script's name and ".hung" says that one is inside
//   process <gpu> <pid> <bytes>   computes on the GPU
//   process_stride 16|24|32       the struct the list of processes is made of; default 24
//   utilization <percent>         instead of the wave
//   lost <gpu>                    fell off the bus
// FAKE_NVML_XID_FILE names a file; each line "<gpu> <xid>" appended to it is one XID event.
// Compiled with FAKE_NVML_OLD_DRIVER it lacks what drivers before R470 lack.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

enum Code : int {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kInsufficientSize = 7,
  kTimeout = 10,
  kGpuIsLost = 15,
  kVersionMismatch = 25,
};

constexpr double kPi = 3.14159265358979;
constexpr unsigned long long kMiB = 1024 * 1024;
constexpr unsigned long long kTotal = 23028 * kMiB;
constexpr unsigned long long kReserved = 512 * kMiB;
constexpr unsigned kGpusMax = 8;
char handles[kGpusMax];  // a device is the address of its element

struct Process {
  unsigned gpu, pid;
  unsigned long long bytes;
};

struct Script {
  unsigned gpus = 1;
  int failure = kSuccess;
  bool hang = false;
  std::vector<Process> processes;
  size_t process_stride = 24;
  double utilization = -1;  // percent
  int lost = -1;
};

Script ReadScript(const char* symbol) {
  Script script;
  const char* const path = std::getenv("FAKE_NVML_SCRIPT");
  std::ifstream file(path != nullptr ? path : "/dev/null");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string verb, name;
    words >> verb;
    if (verb == "gpus") words >> script.gpus;
    if (verb == "fail" && words >> name && name == symbol) words >> script.failure;
    if (verb == "hang" && words >> name && name == symbol) script.hang = true;
    if (verb == "process_stride") words >> script.process_stride;
    if (verb == "utilization") words >> script.utilization;
    if (verb == "lost") words >> script.lost;
    if (Process p{}; verb == "process" && words >> p.gpu >> p.pid >> p.bytes) {
      script.processes.push_back(p);
    }
  }
  script.gpus = std::min(script.gpus, kGpusMax);
  return script;
}

// What every call does first: hangs or fails as the script says.
Script Enter(const char* symbol) {
  Script script = ReadScript(symbol);
  if (script.hang) std::ofstream(std::string(std::getenv("FAKE_NVML_SCRIPT")) + ".hung");
  while (script.hang) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    script = ReadScript(symbol);
  }
  return script;
}

double Seconds() {
  static const auto start = std::chrono::steady_clock::now();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A wave of a minute between 10 and 90 percent; the second GPU half a wave behind the first.
double Utilization(const Script& script, size_t gpu) {
  if (script.utilization >= 0) return script.utilization;
  return 50 + 40 * std::sin(2 * kPi * Seconds() / 60 + kPi * static_cast<double>(gpu));
}

double Watts(const Script& script, size_t gpu) { return 60 + 0.9 * Utilization(script, gpu); }

size_t IndexOf(const void* device) {
  return static_cast<size_t>(static_cast<const char*>(device) - handles);
}

int CopyText(const std::string& text, char* to, unsigned length) {
  if (length <= text.size()) return kInsufficientSize;
  std::memcpy(to, text.c_str(), text.size() + 1);
  return kSuccess;
}

unsigned long long UsedBytes(const Script& script, size_t gpu) {
  unsigned long long used = 4 * kMiB;
  for (const Process& process : script.processes) {
    if (process.gpu == gpu) used += process.bytes;
  }
  return used;
}

}  // namespace

#define FAKE_EXPORT extern "C" __attribute__((visibility("default")))
#define FAKE_ENTER()                     \
  const Script script = Enter(__func__); \
  if (script.failure != kSuccess) return script.failure
#define FAKE_ENTER_DEVICE(device)           \
  FAKE_ENTER();                             \
  const size_t gpu = IndexOf(device);       \
  if (gpu >= script.gpus) return kInvalidArgument

FAKE_EXPORT int nvmlInit_v2() {
  FAKE_ENTER();
  Seconds();
  return kSuccess;
}

FAKE_EXPORT int nvmlShutdown() {
  FAKE_ENTER();
  return kSuccess;
}

FAKE_EXPORT int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  FAKE_ENTER();
  return CopyText("570.86.15", version, length);
}

FAKE_EXPORT int nvmlDeviceGetCount_v2(unsigned* count) {
  FAKE_ENTER();
  *count = script.gpus;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  FAKE_ENTER();
  if (index >= script.gpus) return kInvalidArgument;
  if (static_cast<int>(index) == script.lost) return kGpuIsLost;
  *device = &handles[index];
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  FAKE_ENTER_DEVICE(device);
  return CopyText("NVIDIA A10G", name, length);
}

FAKE_EXPORT int nvmlDeviceGetUUID(void* device, char* uuid, unsigned length) {
  FAKE_ENTER_DEVICE(device);
  return CopyText("GPU-00000000-0000-4000-8000-00000000000" + std::to_string(gpu), uuid, length);
}

FAKE_EXPORT int nvmlDeviceGetMinorNumber(void* device, unsigned* minor) {
  FAKE_ENTER_DEVICE(device);
  *minor = static_cast<unsigned>(gpu);
  return kSuccess;
}

struct FakePciInfo {
  char bus_id_legacy[16];
  unsigned numbers[5];
  char bus_id[32];
};

FAKE_EXPORT int nvmlDeviceGetPciInfo_v3(void* device, FakePciInfo* info) {
  FAKE_ENTER_DEVICE(device);
  *info = {};
  const unsigned slot = 0x1e - static_cast<unsigned>(gpu);
  std::snprintf(info->bus_id_legacy, sizeof(info->bus_id_legacy), "0000:00:%02X.0", slot);
  std::snprintf(info->bus_id, sizeof(info->bus_id), "00000000:00:%02X.0", slot);
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetUtilizationRates(void* device, unsigned rates[2]) {
  FAKE_ENTER_DEVICE(device);
  rates[0] = static_cast<unsigned>(Utilization(script, gpu));
  rates[1] = rates[0] * 3 / 4;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetEncoderUtilization(void* device, unsigned* percent, unsigned* period) {
  FAKE_ENTER_DEVICE(device);
  *percent = 0;
  *period = 167000;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetDecoderUtilization(void* device, unsigned* percent, unsigned* period) {
  FAKE_ENTER_DEVICE(device);
  *percent = 0;
  *period = 167000;
  return kSuccess;
}

struct FakeMemory {
  unsigned long long total, free, used;
};

FAKE_EXPORT int nvmlDeviceGetMemoryInfo(void* device, FakeMemory* memory) {
  FAKE_ENTER_DEVICE(device);
  const unsigned long long used = UsedBytes(script, gpu);
  *memory = {kTotal, kTotal - kReserved - used, used + kReserved};
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetClockInfo(void* device, int type, unsigned* mhz) {
  FAKE_ENTER_DEVICE(device);
  if (type < 0 || type > 3) return kInvalidArgument;
  const bool busy = Utilization(script, gpu) > 1;
  *mhz = type == 2 ? (busy ? 6251 : 405) : (busy ? 1710 : 210);
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetTemperature(void* device, int sensor, unsigned* celsius) {
  FAKE_ENTER_DEVICE(device);
  if (sensor != 0) return kInvalidArgument;
  *celsius = static_cast<unsigned>(30 + 0.3 * Utilization(script, gpu));
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  FAKE_ENTER_DEVICE(device);
  *milliwatts = static_cast<unsigned>(1000 * Watts(script, gpu));
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetEnforcedPowerLimit(void* device, unsigned* milliwatts) {
  FAKE_ENTER_DEVICE(device);
  *milliwatts = 300'000;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* millijoules) {
  FAKE_ENTER_DEVICE(device);
  *millijoules = static_cast<unsigned long long>(1000 * (5e6 + 105 * Seconds()));
  return kSuccess;
}

// The board is cooled by the box.
FAKE_EXPORT int nvmlDeviceGetFanSpeed(void* device, unsigned*) {
  FAKE_ENTER_DEVICE(device);
  return kNotSupported;
}

FAKE_EXPORT int nvmlDeviceGetPerformanceState(void* device, unsigned* state) {
  FAKE_ENTER_DEVICE(device);
  *state = Utilization(script, gpu) > 1 ? 0 : 8;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetCurrPcieLinkGeneration(void* device, unsigned* generation) {
  FAKE_ENTER_DEVICE(device);
  *generation = 4;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetCurrPcieLinkWidth(void* device, unsigned* width) {
  FAKE_ENTER_DEVICE(device);
  *width = 16;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetPcieReplayCounter(void* device, unsigned* replays) {
  FAKE_ENTER_DEVICE(device);
  *replays = 0;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetPcieThroughput(void* device, int counter, unsigned* kilobytes) {
  FAKE_ENTER_DEVICE(device);
  if (counter != 0 && counter != 1) return kInvalidArgument;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  *kilobytes = static_cast<unsigned>((counter == 0 ? 150 : 1200) * Utilization(script, gpu));
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetTotalEccErrors(void* device, int error, int counter,
                                            unsigned long long* count) {
  FAKE_ENTER_DEVICE(device);
  *count = error == 0 && counter == 1 ? 3 : 0;
  return kSuccess;
}

struct FakeViolationTime {
  unsigned long long reference_us, violation_ns;
};

FAKE_EXPORT int nvmlDeviceGetViolationStatus(void* device, int policy, FakeViolationTime* time) {
  FAKE_ENTER_DEVICE(device);
  *time = {static_cast<unsigned long long>(1e6 * Seconds()), policy == 0 ? 2'500'000'000ull : 0};
  return kSuccess;
}

struct FakeFieldValue {
  unsigned field, scope;
  long long timestamp_us, latency_us;
  int type, result;
  union {
    double d;
    unsigned u;
    unsigned long long ull;
  } value;
};

FAKE_EXPORT int nvmlDeviceGetFieldValues(void* device, int count, FakeFieldValue* values) {
  FAKE_ENTER_DEVICE(device);
  for (int i = 0; i < count; ++i) {
    values[i].result = kNotSupported;
    if (values[i].field == 270 || values[i].field == 271) {
      values[i].result = kSuccess;
      values[i].type = 3;
      values[i].value.ull = values[i].field == 270 ? 1'500'000'000ull : 0;
    }
  }
  return kSuccess;
}

namespace {

int WriteProcesses(const Script& script, size_t gpu, size_t stride, unsigned* count, void* infos) {
  std::vector<Process> processes;
  std::copy_if(script.processes.begin(), script.processes.end(), std::back_inserter(processes),
               [gpu](const Process& process) { return process.gpu == gpu; });
  const unsigned room = *count;
  *count = static_cast<unsigned>(processes.size());
  if (room < processes.size()) return kInsufficientSize;
  auto* out = static_cast<unsigned char*>(infos);
  for (const Process& process : processes) {
    std::memset(out, 0, stride);
    std::memcpy(out, &process.pid, sizeof(process.pid));
    std::memcpy(out + 8, &process.bytes, sizeof(process.bytes));
    if (stride >= 24) std::memset(out + 16, 0xff, 8);  // the ids of no MIG instance
    out += stride;
  }
  return kSuccess;
}

// How many lines of the XID file were given out; events of before the registration are not
// recorded.
std::atomic<size_t> xid_lines_seen = 0;

std::vector<std::string> XidLines() {
  const char* const path = std::getenv("FAKE_NVML_XID_FILE");
  std::ifstream file(path != nullptr ? path : "/dev/null");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line) && !file.eof();) lines.push_back(line);
  return lines;
}

}  // namespace

FAKE_EXPORT int nvmlDeviceGetComputeRunningProcesses(void* device, unsigned* count, void* infos) {
  FAKE_ENTER_DEVICE(device);
  return WriteProcesses(script, gpu, 16, count, infos);
}

FAKE_EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(void* device,
                                                          unsigned long long* reasons) {
  FAKE_ENTER_DEVICE(device);
  *reasons = Utilization(script, gpu) > 1 ? 0x4 : 0x1;
  return kSuccess;
}

FAKE_EXPORT int nvmlEventSetCreate(void** set) {
  FAKE_ENTER();
  static char the_set;
  *set = &the_set;
  return kSuccess;
}

FAKE_EXPORT int nvmlEventSetFree(void*) {
  FAKE_ENTER();
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceRegisterEvents(void* device, unsigned long long types, void*) {
  FAKE_ENTER_DEVICE(device);
  if (types != 8) return kNotSupported;
  xid_lines_seen = XidLines().size();
  return kSuccess;
}

struct FakeEventData {
  void* device;
  unsigned long long type, data;
  unsigned gpu_instance, compute_instance;
};

FAKE_EXPORT int nvmlEventSetWait_v2(void*, FakeEventData* event, unsigned timeout_ms) {
  FAKE_ENTER();
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    const std::vector<std::string> lines = XidLines();
    if (lines.size() > xid_lines_seen) {
      unsigned gpu = 0;
      unsigned long long xid = 0;
      std::istringstream(lines[xid_lines_seen++]) >> gpu >> xid;
      if (gpu >= kGpusMax) return kInvalidArgument;
      *event = {&handles[gpu], 8, xid, ~0u, ~0u};
      return kSuccess;
    }
    if (std::chrono::steady_clock::now() >= deadline) return kTimeout;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

#ifndef FAKE_NVML_OLD_DRIVER

struct FakeMemoryV2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};

FAKE_EXPORT int nvmlDeviceGetMemoryInfo_v2(void* device, FakeMemoryV2* memory) {
  FAKE_ENTER_DEVICE(device);
  if (memory->version != (sizeof(FakeMemoryV2) | 2u << 24)) return kVersionMismatch;
  const unsigned long long used = UsedBytes(script, gpu);
  memory->total = kTotal;
  memory->reserved = kReserved;
  memory->free = kTotal - kReserved - used;
  memory->used = used;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetRemappedRows(void* device, unsigned* correctable,
                                          unsigned* uncorrectable, unsigned* pending,
                                          unsigned* failed) {
  FAKE_ENTER_DEVICE(device);
  *correctable = 2;
  *uncorrectable = 1;
  *pending = 0;
  *failed = 0;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetCurrentClocksEventReasons(void* device, unsigned long long* reasons) {
  FAKE_ENTER_DEVICE(device);
  *reasons = Utilization(script, gpu) > 1 ? 0x4 : 0x1;
  return kSuccess;
}

FAKE_EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned* count,
                                                        void* infos) {
  FAKE_ENTER_DEVICE(device);
  return WriteProcesses(script, gpu, script.process_stride, count, infos);
}

#endif  // FAKE_NVML_OLD_DRIVER
