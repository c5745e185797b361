// DriverThread: a thread whose calls may never return.
//
// The body owns, by value or shared_ptr, everything it touches. The destructor asks it to stop,
// waits a moment, and leaves a body that is stuck inside the driver behind: nobody's shutdown waits
// for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace hearth::device {

class StopSignal {
 public:
  // Sleeps; true as soon as the thread is asked to stop.
  bool WaitFor(std::chrono::nanoseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return stopping_; });
  }

 private:
  friend class DriverThread;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool finished_ = false;
};

class DriverThread {
 public:
  // A body that is not stuck sees the signal well within this: its longest calls take tens of
  // milliseconds per GPU.
  static constexpr std::chrono::milliseconds kGrace{1000};

  explicit DriverThread(std::function<void(StopSignal*)> body,
                        std::chrono::milliseconds grace = kGrace)
      : signal_(std::make_shared<StopSignal>()), grace_(grace) {
    thread_ = std::thread([signal = signal_, run = std::move(body)]() mutable {
      run(signal.get());
      run = nullptr;  // what it owns goes before the word that it has finished
      std::lock_guard lock(signal->mutex_);
      signal->finished_ = true;
      signal->changed_.notify_all();
    });
  }

  ~DriverThread() {
    std::unique_lock lock(signal_->mutex_);
    signal_->stopping_ = true;
    signal_->changed_.notify_all();
    const bool finished =
        signal_->changed_.wait_for(lock, grace_, [this] { return signal_->finished_; });
    lock.unlock();
    if (finished) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }

  DriverThread(const DriverThread&) = delete;
  DriverThread& operator=(const DriverThread&) = delete;

 private:
  const std::shared_ptr<StopSignal> signal_;
  const std::chrono::milliseconds grace_;
  std::thread thread_;
};

}  // namespace hearth::device
