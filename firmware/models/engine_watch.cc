#include "firmware/models/engine_watch.h"

#include <chrono>
#include <utility>

#include "base/clock.h"

namespace hearth::models {

EngineWatch::EngineWatch(const StallLimits& limits, View view, OnStall on_stall)
    : limits_(limits),
      view_(std::move(view)),
      on_stall_(std::move(on_stall)),
      stall_(limits),
      thread_([this] { Run(); }) {}

EngineWatch::~EngineWatch() {
  {
    std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void EngineWatch::Run() {
  std::unique_lock lock(mutex_);
  const auto wait = std::chrono::duration<double>(limits_.look_every_s);
  while (!changed_.wait_for(lock, wait, [this] { return over_; })) {
    lock.unlock();
    const auto why = stall_.Look(view_(), MonotonicSeconds());
    if (why) return on_stall_(*why);
    lock.lock();
  }
}

}  // namespace hearth::models
