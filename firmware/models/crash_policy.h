// What follows when an engine ends unasked: when it is started again, and how.
//
// At once, then after 1, 2, 4 ... 60 s. An engine that keeps ending is not given up: it goes on to be
// started, but in safe mode, with less of what such an engine usually dies of, until somebody loads
// the model by hand (reliability-security.md G-4).
#pragma once

#include <deque>

#include "engine/protocol/messages.h"

namespace hearth::models {

struct CrashLimits {
  int crashes_max = 5;  // so many of them ...
  double within_s = 600;  // ... in this time make an engine degraded
  double back_off_max_s = 60;
  double stable_after_s = 60;  // an engine that lived this long has earned an immediate restart
};

// Of one replica, since it was loaded by hand.
struct CrashState {
  std::deque<double> crash_times_s;  // monotonic, within CrashLimits::within_s, oldest first
  double next_delay_s = 0;
  bool safe_mode = false;
};

struct Restart {
  double delay_s = 0;
  bool turned_degraded = false;  // this crash was the one too many
};

// An engine that lived lived_s ended at now_s (monotonic).
Restart OnCrash(CrashState& state, const CrashLimits& limits, double lived_s, double now_s);

// `load`, but one sequence at a time, in small steps, without the prefix cache.
protocol::Load InSafeMode(protocol::Load load);

}  // namespace hearth::models
