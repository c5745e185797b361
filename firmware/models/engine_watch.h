// EngineWatch: the thread that looks whether an engine gets on.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "firmware/models/stall_watch.h"

namespace hearth::models {

class EngineWatch {
 public:
  using View = std::function<StallView()>;
  using OnStall = std::function<void(const std::string& why)>;

  // Both are called by the watch's own thread, on_stall at most once.
  EngineWatch(const StallLimits& limits, View view, OnStall on_stall);
  ~EngineWatch();  // nothing is called any more
  EngineWatch(const EngineWatch&) = delete;
  EngineWatch& operator=(const EngineWatch&) = delete;

  void OnStep(double duration_s) { stall_.OnStep(duration_s); }
  // Has it been still for half of what it may be? Whoever asks whether the box is ready is told.
  bool seems_stalled() const { return stall_.still_s() > stall_.allowed_s() / 2; }

 private:
  void Run();

  const StallLimits limits_;
  const View view_;
  const OnStall on_stall_;
  StallWatch stall_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace hearth::models
