#include "firmware/models/stall_watch.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hearth::models {
namespace {

constexpr size_t kStepsKept = 512;

std::string Seconds(double seconds) {
  return std::to_string(static_cast<int64_t>(std::llround(seconds))) + " s";
}

}  // namespace

void StallWatch::OnStep(double duration_s) {
  std::lock_guard lock(mutex_);
  step_times_s_.push_back(duration_s);
  if (step_times_s_.size() > kStepsKept) step_times_s_.pop_front();
}

double StallWatch::AllowedLocked() const {
  if (is_loading_) return limits_.loading_s;
  if (step_times_s_.empty()) return limits_.serving_s;
  std::vector<double> times(step_times_s_.begin(), step_times_s_.end());
  const auto p99 = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) * 99 / 100);
  std::nth_element(times.begin(), p99, times.end());
  return std::max(limits_.serving_s, limits_.steps * *p99);
}

std::optional<std::string> StallWatch::Look(const StallView& view, double now_s) {
  std::lock_guard lock(mutex_);
  // A longer gap is one in which nobody looked: it says nothing about the engine.
  const double passed_s =
      last_look_s_ == 0 ? 0 : std::clamp(now_s - last_look_s_, 0.0, 4 * limits_.look_every_s);
  last_look_s_ = now_s;
  const bool moved = view.pulse.beats != last_beats_ || view.is_loading != is_loading_;
  still_s_ = moved ? 0 : still_s_ + passed_s;
  last_beats_ = view.pulse.beats;
  is_loading_ = view.is_loading;
  const bool holds = !view.is_loading && view.num_in_flight > 0 &&
                     view.pulse.num_running + view.pulse.num_waiting == 0 &&
                     view.num_frames == last_frames_;
  holding_s_ = holds ? holding_s_ + passed_s : 0;
  last_frames_ = view.num_frames;
  if (still_s_ >= AllowedLocked()) {
    return "has not moved for " + Seconds(still_s_) + " (" +
           std::string(protocol::PhaseName(view.pulse.phase)) + ")";
  }
  if (holding_s_ >= limits_.holding_s) {
    return "has said nothing for " + Seconds(holding_s_) + " about the " +
           std::to_string(view.num_in_flight) + " requests it was given, and does nothing";
  }
  return std::nullopt;
}

double StallWatch::still_s() const {
  std::lock_guard lock(mutex_);
  return still_s_;
}

double StallWatch::allowed_s() const {
  std::lock_guard lock(mutex_);
  return AllowedLocked();
}

}  // namespace hearth::models
