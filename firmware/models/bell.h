// Bell: tells those who wait that something changed; what, they see for themselves.
//
// No change is missed: who reads rings() before it looks is woken by whatever happens after.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace hearth::models {

// Any thread.
class Bell {
 public:
  uint64_t rings() const {
    std::lock_guard lock(mutex_);
    return rings_;
  }

  void Ring() {
    {
      std::lock_guard lock(mutex_);
      ++rings_;
    }
    rung_.notify_all();
  }

  // Returns when it has rung since rings() was `seen`, or after `timeout`.
  void Wait(uint64_t seen, std::chrono::duration<double> timeout) {
    std::unique_lock lock(mutex_);
    rung_.wait_for(lock, timeout, [&] { return rings_ != seen; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable rung_;
  uint64_t rings_ = 0;
};

}  // namespace hearth::models
