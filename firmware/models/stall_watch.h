// StallWatch: does an engine get on? Judged by its pulse alone, so that one that is merely busy is
// left alone however long its answers take (reliability-security.md G-5).
//
// The pulse beats with every small piece of work inside a step, with every step, and once a second in
// an idle engine. Time counts only while the watch itself is awake: a hearthd that was stopped, or a
// machine that slept, finds no engine stalled.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "engine/protocol/pulse.h"

namespace hearth::models {

struct StallLimits {
  double serving_s = 10;    // without a beat, once it serves
  double steps = 5;         // ... or so many times the p99 of its steps, where that is more
  double loading_s = 180;   // without a beat while it loads: a slow disk has its time
  // Nothing to do by its own account, while it holds requests and says nothing about them. Reading the
  // longest prompt (limits::kBodyBytesMax) takes a slow processor a minute.
  double holding_s = 120;
  double look_every_s = 0.25;
};

struct StallView {
  protocol::PulseReading pulse;
  bool is_loading = true;
  int num_in_flight = 0;    // requests it was given and has not ended
  uint64_t num_frames = 0;  // that it has sent
};

class StallWatch {
 public:
  explicit StallWatch(const StallLimits& limits) : limits_(limits) {}

  // It reported a step. Any thread.
  void OnStep(double duration_s);

  // One look, now_s on the monotonic clock. Says why the engine is to be ended, if it is.
  std::optional<std::string> Look(const StallView& view, double now_s);

  // How long it has not moved, and how much of that is allowed. Any thread.
  double still_s() const;
  double allowed_s() const;

 private:
  double AllowedLocked() const;

  const StallLimits limits_;
  mutable std::mutex mutex_;
  std::deque<double> step_times_s_;  // the last kStepsKept
  double last_look_s_ = 0;           // 0: before the first
  double still_s_ = 0, holding_s_ = 0;
  uint64_t last_beats_ = 0, last_frames_ = 0;
  bool is_loading_ = true;
};

}  // namespace hearth::models
