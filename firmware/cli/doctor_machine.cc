// hearth doctor: GPU driver, processor, memory, clock, open files.
#include <sys/timex.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "base/limits.h"
#include "firmware/cli/doctor.h"
#include "firmware/cli/proc_files.h"
#include "firmware/cli/text_table.h"
#include "firmware/device/gpu_watch.h"
#include "firmware/device/host_text.h"
#include "firmware/device/nvml.h"

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kDriverPatience = std::chrono::seconds(10);  // a healthy one starts within two
constexpr double kMiB = 1 << 20;
constexpr double kFreeBytesMin = 512 * kMiB;  // a small model with its cache
// Every stream is a socket here and one at the engine, besides files of models and of the history.
constexpr int64_t kOpenFilesMin = 4 * limits::kRequestsPerEngineMax;
// Before this program was written.
constexpr int kYearMin = 2025;
constexpr double kClockErrorMaxS = 1;

std::vector<std::string> NvidiaNodes() {
  std::vector<std::string> nodes;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/dev", error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("nvidia") && entry.is_character_file(error)) {
      nodes.push_back(entry.path().string());
    }
  }
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

// PCI addresses of display controllers made by NVIDIA, with a driver or without.
std::vector<std::string> NvidiaCards() {
  std::vector<std::string> cards;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/sys/bus/pci/devices", error)) {
    const bool is_nvidia = ProcText(entry.path() / "vendor").starts_with("0x10de");
    const bool is_display = ProcText(entry.path() / "class").starts_with("0x03");
    if (is_nvidia && is_display) cards.push_back(entry.path().filename().string());
  }
  return cards;
}

struct DriverAnswer {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_there = false;
  Status status;
  std::vector<device::GpuReading> gpus;
};

// nullptr: the driver has not answered, and its thread is left behind.
std::shared_ptr<const DriverAnswer> AskDriver() {
  const auto answer = std::make_shared<DriverAnswer>();
  std::thread([answer] {
    Status status;
    std::vector<device::GpuReading> gpus;
    auto nvml = device::Nvml::Load(device::GpuWatch::Options().library);
    if (nvml.ok()) {
      auto read = (*nvml)->Read({.pcie_throughput = false});
      status = read.status();
      if (read.ok()) gpus = std::move(read).value();
    } else {
      status = nvml.status();
    }
    std::lock_guard lock(answer->mutex);
    answer->status = std::move(status);
    answer->gpus = std::move(gpus);
    answer->is_there = true;
    answer->changed.notify_all();
  }).detach();
  std::unique_lock lock(answer->mutex);
  const bool came =
      answer->changed.wait_for(lock, kDriverPatience, [&] { return answer->is_there; });
  return came ? answer : nullptr;
}

// The node that the account may not open; empty when it may open all.
std::string ClosedNode(const std::vector<std::string>& nodes, const Account& account) {
  for (const std::string& node : nodes) {
    struct stat file {};
    if (::stat(node.c_str(), &file) == 0 && !ModeAllows(file, account, 6)) return node;
  }
  return "";
}

std::string GpuNames(const std::vector<device::GpuReading>& gpus) {
  std::string names;
  for (const device::GpuReading& gpu : gpus) {
    names += (names.empty() ? "" : ", ") + gpu.identity.name;
    if (gpu.memory_total_bytes) names += " with " + SizeText(*gpu.memory_total_bytes);
  }
  return names;
}

// Of hearthd when it runs, else of this process, which may be less bound than hearthd will be.
std::string ProcOf(const Patient& patient) {
  return "/proc/" + (patient.hearthd ? std::to_string(*patient.hearthd) : "self");
}

// memory.max of the control group (version 2) and of those above it; nullopt: unlimited.
std::optional<double> GroupLimit(const std::string& proc) {
  const auto path = ProcLine(ProcText(proc + "/cgroup"), "0::");
  if (!path) return std::nullopt;
  std::optional<double> least;
  for (fs::path group = *path;; group = group.parent_path()) {
    std::string text = ProcText("/sys/fs/cgroup" + (group / "memory.max").string());
    text.erase(text.find_last_not_of(" \n") + 1);
    if (const auto limit = device::ParseNumber(text); limit && (!least || *limit < *least)) {
      least = limit;
    }
    if (!group.has_relative_path()) return least;
  }
}

// The soft limit of a line of /proc/<pid>/limits; nullopt: unlimited or not told.
std::optional<double> SoftLimit(const std::string& proc, const std::string& name) {
  const auto line = ProcLine(ProcText(proc + "/limits"), name);
  return line ? device::ParseNumber(line->substr(0, line->find(' '))) : std::nullopt;
}

}  // namespace

Finding CheckDriver(const Account& account) {
  constexpr const char* kCheck = "GPU driver";
  const std::vector<std::string> nodes = NvidiaNodes();
  const std::vector<std::string> cards = NvidiaCards();
  if (nodes.empty() && cards.empty()) {
    return Good(kCheck, "there is no NVIDIA GPU; models run on the processor");
  }
  const auto answer = AskDriver();
  if (answer == nullptr) {
    return Bad(kCheck, "the driver has not answered for " +
                           std::to_string(kDriverPatience.count()) + " s",
               "'dmesg | grep -i -e nvrm -e xid' says why; a GPU that fell off the bus needs a "
               "reboot");
  }
  if (!answer->status.ok()) {
    const bool is_absent = answer->status.code() == StatusCode::kNotFound;
    return Bad(kCheck,
               (nodes.empty() ? "an NVIDIA GPU is at " + cards.front()
                              : "the kernel has " + nodes.front()) +
                   ", but " + answer->status.message(),
               is_absent ? "install the NVIDIA driver with its libnvidia-ml1"
                         : "bring kernel module and library to the same version: install the "
                           "driver again, and reboot");
  }
  if (answer->gpus.empty()) {
    return Warn(kCheck, "the driver answers and shows no GPU", "'nvidia-smi' may say more");
  }
  const std::string found = "driver " + answer->gpus.front().identity.driver_version + ": " +
                            GpuNames(answer->gpus);
  if (const std::string closed = ClosedNode(nodes, account); !closed.empty()) {
    return Bad(kCheck, found + ", but '" + account.name + "' may not open " + closed,
               "chmod 666 " + closed + ", or set NVreg_DeviceFileMode=0666 for the nvidia module");
  }
  return Good(kCheck, found);
}

Finding CheckCpu() {
  constexpr const char* kCheck = "processor";
  const std::string threads = std::to_string(std::thread::hardware_concurrency()) + " threads";
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return Good(kCheck, threads + " with AVX-512");
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return Good(kCheck, threads + " with AVX2 and FMA");
  }
  return Warn(kCheck, threads + ", without AVX2 and FMA: the CPU engine is several times slower",
              "use a processor of 2013 or later; on a virtual machine let it see the host's flags "
              "(cpu host-passthrough)");
#else
  return Warn(kCheck, threads + " of an architecture for which the CPU engine has no own kernels",
              "use an x86-64 machine with AVX2");
#endif
}

Finding CheckMemory(const Patient& patient) {
  constexpr const char* kCheck = "memory";
  std::map<std::string, double> memory = device::ParseMemory(ProcText("/proc/meminfo"));
  const double total = memory["MemTotal"], free = memory["MemAvailable"];
  const double swapped = memory["SwapTotal"] - memory["SwapFree"];
  std::string found = SizeText(free) + " of " + SizeText(total) + " are free, " +
                      SizeText(swapped) + " of " + SizeText(memory["SwapTotal"]) +
                      " swap in use";
  const std::string proc = ProcOf(patient);
  if (const auto limit = GroupLimit(proc); limit && *limit < total) {
    found += ", its control group may take " + SizeText(*limit);
  }
  if (const auto limit = SoftLimit(proc, "Max address space")) {
    return Bad(kCheck, found + ", and the address space is limited to " + SizeText(*limit),
               "take the limit away (ulimit -v unlimited): engines map whole model files");
  }
  if (static_cast<double>(patient.memory_limit_bytes) > total) {
    return Warn(kCheck, found + "; memory_limit_bytes is " +
                            SizeText(static_cast<double>(patient.memory_limit_bytes)) +
                            ", more than there is",
                "set memory_limit_bytes to less than " + SizeText(total) + ", or to 0");
  }
  if (free < kFreeBytesMin) {
    return Warn(kCheck, found, "end other programs, or let a model sleep: 'hearth unload NAME'");
  }
  if (swapped > total / 4) {
    return Warn(kCheck, found + ": this machine has taken on more than it can hold",
                "serve fewer models at once, or with a smaller kv_cache_memory_bytes");
  }
  return Good(kCheck, found);
}

Finding CheckClock() {
  constexpr const char* kCheck = "clock";
  const time_t now = ::time(nullptr);
  tm utc{};
  ::gmtime_r(&now, &utc);
  const std::string shown = UtcText(static_cast<int64_t>(now) * 1000);
  if (utc.tm_year + 1900 < kYearMin) {
    return Bad(kCheck, "it is said to be " + shown, "set the clock: timedatectl set-ntp true");
  }
  timex state{};
  const int answer = ::adjtimex(&state);
  if (answer < 0) {
    return Warn(kCheck, shown + "; the kernel does not say whether it is right: " +
                            std::strerror(errno), "run 'hearth doctor' outside of a container");
  }
  if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    return Warn(kCheck, shown + ", and nothing keeps it right",
                "timedatectl set-ntp true, or install chrony: history and alerts go by this clock");
  }
  const double error_s = static_cast<double>(state.maxerror) / 1e6;
  if (error_s > kClockErrorMaxS) {
    return Warn(kCheck, shown + ", right within " + DurationText(error_s) + " only",
                "'chronyc tracking' or 'timedatectl timesync-status' says which server is lost");
  }
  return Good(kCheck, shown + ", kept right within " + DurationText(error_s));
}

Finding CheckOpenFiles(const Patient& patient) {
  constexpr const char* kCheck = "open files";
  const std::string whose = patient.hearthd ? "hearthd" : "a program started from here";
  const std::string limits = ProcText(ProcOf(patient) + "/limits");
  if (limits.empty()) {
    return Warn(kCheck, "the limits of hearthd cannot be read", "run 'hearth doctor' as root");
  }
  const auto limit = SoftLimit(ProcOf(patient), "Max open files");
  if (!limit) return Good(kCheck, whose + " may open any number");
  const std::string found =
      whose + " may open " + std::to_string(static_cast<int64_t>(*limit));
  if (*limit >= static_cast<double>(kOpenFilesMin)) return Good(kCheck, found);
  // The shipped unit sets its own limit, so what holds for this shell says little about it.
  return Warn(kCheck, found + ", fewer than the " + std::to_string(kOpenFilesMin) +
                          " that many streams at once take",
              patient.hearthd ? "systemctl edit hearth, with [Service] and LimitNOFILE=65536"
                              : "ulimit -n 65536 before hearthd; its systemd unit does so itself");
}

}  // namespace hearth::cli
