#include "firmware/models/autoscaling_policy.h"

#include <algorithm>
#include <cmath>

namespace hearth::models {
namespace {

// Of a rolling mean: a period is remembered in so many pieces at most.
constexpr double kSpans = 300;

// Beyond every max_replicas; a load of 1e9 requests must not overflow an int.
constexpr double kReplicasCeiling = 1e6;

// Differences of clocks leave dust; nobody waits a microsecond longer.
constexpr double kDustS = 1e-6;

int Factored(const AutoscalingOptions& options, double desired, int running) {
  const double delta = desired - running;
  const double factor = delta > 0 ? options.upscaling_factor : options.downscaling_factor;
  const double scaled = std::ceil(std::clamp(running + factor * delta, -1.0, kReplicasCeiling));
  const bool is_stuck = std::ceil(desired) < running && scaled == running;
  return static_cast<int>(scaled) - (is_stuck ? 1 : 0);
}

}  // namespace

ScaleDecision AutoscalingPolicy::Decide(const AutoscalingOptions& options, double now_s,
                                        double requests, int running, int target) {
  ScaleDecision decision;
  decision.target = decision.desired = target;
  if (running == 0) {
    Reset();
    if (requests > 0) {
      const int first = static_cast<int>(std::ceil(options.upscaling_factor));
      decision.target = std::clamp(std::max(first, target), 0, options.max_replicas);
      decision.desired = decision.target;
    }
    return decision;
  }
  const double wanted = std::min(requests / options.target_ongoing_requests, kReplicasCeiling);
  int desired = std::clamp(Factored(options, wanted, running), options.min_replicas,
                           std::max(options.min_replicas, options.max_replicas));
  decision.desired = desired;
  const ScaleDirection direction = desired > target   ? ScaleDirection::kUp
                                   : desired < target ? ScaleDirection::kDown
                                                      : ScaleDirection::kNone;
  double delay_s =
      direction == ScaleDirection::kUp ? options.upscale_delay_s : options.downscale_delay_s;
  if (direction == ScaleDirection::kDown && target == 1) delay_s = options.DelayToZeroS();
  if (direction == ScaleDirection::kDown && target > 1) desired = std::max(1, desired);
  if (direction != direction_) since_s_ = now_s;
  direction_ = direction;
  if (direction == ScaleDirection::kNone) return decision;
  decision.direction = direction;
  decision.delay_left_s = delay_s - (now_s - since_s_);
  if (decision.delay_left_s <= kDustS) {
    decision.delay_left_s = 0;
    decision.target = desired;
    direction_ = ScaleDirection::kNone;
  }
  return decision;
}

void RollingMean::Add(double now_s, double value, double period_s) {
  if (spans_.empty() || now_s - spans_.back().start_s >= period_s / kSpans) {
    spans_.push_back({now_s, 0, 0});
  }
  spans_.back().sum += value;
  ++spans_.back().count;
  sum_ += value;
  ++count_;
  while (now_s - spans_.front().start_s > period_s && spans_.size() > 1) {
    sum_ -= spans_.front().sum;
    count_ -= spans_.front().count;
    spans_.pop_front();
  }
  // Differences of doubles leave dust, and only exactly nothing is nothing to do.
  if (std::all_of(spans_.begin(), spans_.end(), [](const Span& span) { return span.sum == 0; })) {
    sum_ = 0;
  }
}

}  // namespace hearth::models
