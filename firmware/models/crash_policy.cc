#include "firmware/models/crash_policy.h"

#include <algorithm>

namespace hearth::models {
namespace {

// Tokens of one step in safe mode: what a prompt is cut into, and a quarter of the usual workspace.
constexpr int kSafeBatchedTokens = 512;

}  // namespace

Restart OnCrash(CrashState& state, const CrashLimits& limits, double lived_s, double now_s) {
  Restart restart;
  state.crash_times_s.push_back(now_s);
  while (state.crash_times_s.front() < now_s - limits.within_s) state.crash_times_s.pop_front();
  const auto num_crashes = static_cast<int>(state.crash_times_s.size());
  if (!state.safe_mode && num_crashes >= limits.crashes_max) {
    state.safe_mode = restart.turned_degraded = true;
  }
  if (lived_s > limits.stable_after_s) state.next_delay_s = 0;
  restart.delay_s = state.next_delay_s;
  state.next_delay_s =
      std::min(limits.back_off_max_s, state.next_delay_s == 0 ? 1 : 2 * state.next_delay_s);
  return restart;
}

protocol::Load InSafeMode(protocol::Load load) {
  load.max_num_seqs = 1;
  load.max_num_batched_tokens = std::min(load.max_num_batched_tokens, kSafeBatchedTokens);
  load.enable_prefix_caching = false;
  return load;
}

}  // namespace hearth::models
