// How many replicas a model shall have, by the rules of Ray Serve's default policy
// (replica_queue_length_autoscaling_policy). Pure: time and load come from the caller.
//
//   desired  = requests / target_ongoing_requests
//   factored = ceil(running + factor * (desired - running)), factor by direction;
//              one less where a step down got stuck by rounding up
//   bounded  = within [min_replicas, max_replicas]
//   target   = bounded, once it has differed in one direction for the delay of that direction
//
// The last replica goes only from exactly one, with a delay of its own. With no replica running, a
// request asks for ceil(upscaling_factor) at once, and delays begin anew (Ray's stand still
// meanwhile).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace hearth::models {

// Ray's autoscaling_config, by its names. A fixed number of replicas is min = max.
struct AutoscalingOptions {
  int min_replicas = 1;
  int max_replicas = 1;
  std::optional<int> initial_replicas;  // absent: min_replicas
  double target_ongoing_requests = 2;   // of a replica, on average
  double look_back_period_s = 30;
  double upscale_delay_s = 30;
  double downscale_delay_s = 600;
  std::optional<double> downscale_to_zero_delay_s;  // absent: downscale_delay_s
  double upscaling_factor = 1;
  double downscaling_factor = 1;

  int FirstTarget() const { return initial_replicas.value_or(min_replicas); }
  double DelayToZeroS() const { return downscale_to_zero_delay_s.value_or(downscale_delay_s); }
};

enum class ScaleDirection { kNone, kUp, kDown };

struct ScaleDecision {
  int target = 0;                                    // from now on
  int desired = 0;                                   // what the load asks for, within the bounds
  ScaleDirection direction = ScaleDirection::kNone;  // of what is waited for
  double delay_left_s = 0;                           // until it happens, should the load stay so
};

// Of one model. One thread.
class AutoscalingPolicy {
 public:
  // requests: the mean of those ongoing and waiting over look_back_period_s. running: replicas that
  // are ready. target: the present one, or what a person has made of it.
  ScaleDecision Decide(const AutoscalingOptions& options, double now_s, double requests,
                       int running, int target);

  // A delay that has begun begins anew.
  void Reset() { direction_ = ScaleDirection::kNone; }

 private:
  ScaleDirection direction_ = ScaleDirection::kNone;
  double since_s_ = 0;  // since when the load has asked for that direction
};

// The mean of a number that is looked at again and again, over the last period_s. Memory is bounded
// whatever the period.
class RollingMean {
 public:
  void Add(double now_s, double value, double period_s);
  double mean() const { return count_ > 0 ? sum_ / static_cast<double>(count_) : 0; }

 private:
  struct Span {
    double start_s;
    double sum;
    int64_t count;
  };
  std::deque<Span> spans_;
  double sum_ = 0;
  int64_t count_ = 0;
};

}  // namespace hearth::models
