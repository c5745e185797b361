#include "firmware/device/gpu_watch.h"

#include <mutex>

#include "base/log.h"

namespace hearth::device {
namespace {

// A wait without an event ends after this: the listener stops as soon, and a driver whose wait
// returns at once does not spin.
constexpr std::chrono::milliseconds kXidWait{200};
constexpr std::chrono::milliseconds kXidPause{50};

// Says a condition of the driver once per change, not once per try.
class ConditionLog {
 public:
  void Report(const Status& status) {
    if (status.message() == last_) return;
    last_ = status.message();
    // A box without an NVIDIA driver is no fault.
    if (status.code() == StatusCode::kNotFound) return;
    LOG(kWarning) << "GPU readings are left out: " << last_;
  }
  void Clear() { last_.clear(); }

 private:
  std::string last_;
};

}  // namespace

struct GpuWatch::Shared {
  explicit Shared(Options options_in) : options(std::move(options_in)) {}

  const Options options;
  mutable std::mutex mutex;  // guards what follows; never held across a call of the driver
  std::map<int, GpuIdentity> identities;
  std::vector<GpuReading> readings;
  std::optional<Clock::time_point> answered;
  std::map<int, XidCounts> xids;

  void Publish(std::vector<GpuReading> pass) {
    std::lock_guard lock(mutex);
    for (GpuReading& reading : pass) {
      identities[reading.identity.index] = reading.identity;
      KeepPcieThroughput(&reading);
    }
    readings = std::move(pass);
    answered = Clock::now();
  }

  void Count(const XidEvent& event) {
    std::lock_guard lock(mutex);
    XidCounts& counts = xids[event.gpu];
    counts.last = event.xid;
    if (counts.by_code.size() < kXidsMax || counts.by_code.contains(event.xid)) {
      ++counts.by_code[event.xid];
    } else {
      ++counts.uncounted;
    }
  }

  void ReadLoop(StopSignal* stop);
  void XidLoop(StopSignal* stop);

 private:
  // Passes between two readings of the throughput repeat it.
  void KeepPcieThroughput(GpuReading* reading) const {
    if (reading->pcie_transmit_bytes_per_second || reading->pcie_receive_bytes_per_second) return;
    for (const GpuReading& before : readings) {
      if (before.identity.index != reading->identity.index) continue;
      reading->pcie_transmit_bytes_per_second = before.pcie_transmit_bytes_per_second;
      reading->pcie_receive_bytes_per_second = before.pcie_receive_bytes_per_second;
    }
  }
};

void GpuWatch::Shared::ReadLoop(StopSignal* stop) {
  std::unique_ptr<Nvml> driver;
  ConditionLog log;
  for (int pass = 0;; ++pass) {
    if (driver == nullptr) {
      auto loaded = Nvml::Load(options.library);
      if (loaded.ok()) {
        driver = std::move(*loaded);
      } else {
        log.Report(loaded.status());
      }
    }
    if (driver != nullptr) {
      auto read = driver->Read({.pcie_throughput = pass % options.passes_per_pcie_reading == 0});
      if (read.ok()) {
        log.Clear();
        Publish(std::move(*read));
      } else {
        log.Report(read.status());
        driver.reset();  // a driver that was reloaded wants a new start
      }
    }
    if (stop->WaitFor(driver ? options.interval : options.retry_interval)) return;
  }
}

void GpuWatch::Shared::XidLoop(StopSignal* stop) {
  do {
    auto driver = Nvml::Load(options.library);
    if (!driver.ok()) continue;
    const std::vector<int> watched = (*driver)->StartXidEvents();
    {
      std::lock_guard lock(mutex);
      for (const int gpu : watched) xids.try_emplace(gpu);
    }
    bool listening = !watched.empty();
    while (listening) {
      const auto event = (*driver)->WaitForXid(kXidWait);
      listening = event.ok();
      if (listening && event->has_value()) {
        LOG(kError) << "GPU " << (*event)->gpu << " reports XID " << (*event)->xid
                    << "; its meaning is in NVIDIA's XID catalog, its circumstances in dmesg";
        Count(**event);
      } else if (stop->WaitFor(kXidPause)) {
        return;
      }
    }
  } while (!stop->WaitFor(options.retry_interval));
}

GpuWatch::GpuWatch(Options options)
    : shared_(std::make_shared<Shared>(std::move(options))),
      reader_(std::make_unique<DriverThread>(
          [shared = shared_](StopSignal* stop) { shared->ReadLoop(stop); },
          shared_->options.stop_grace)),
      xid_listener_(std::make_unique<DriverThread>(
          [shared = shared_](StopSignal* stop) { shared->XidLoop(stop); },
          shared_->options.stop_grace)) {}

GpuState GpuWatch::Latest(Clock::time_point now) const {
  std::lock_guard lock(shared_->mutex);
  GpuState state;
  state.identities = shared_->identities;
  state.xids = shared_->xids;
  if (shared_->answered) {
    const auto age = std::max(now - *shared_->answered, Clock::duration::zero());
    state.age_seconds = std::chrono::duration<double>(age).count();
    if (age < shared_->options.stale_after) state.readings = shared_->readings;
  }
  return state;
}

}  // namespace hearth::device
