#include "firmware/models/autoscaling_policy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace hearth::models {
namespace {

constexpr double kPeriodS = 0.1;

AutoscalingOptions Options() {
  AutoscalingOptions options;
  options.min_replicas = 0;
  options.max_replicas = 4;
  options.target_ongoing_requests = 2;
  options.upscale_delay_s = 1;
  options.downscale_delay_s = 2;
  options.downscale_to_zero_delay_s = 3;
  return options;
}

// Ray's own way of counting: decisions in a row, one each period.
class CountingRules {
 public:
  int Decide(const AutoscalingOptions& o, double requests, int running, int target) {
    if (running == 0) {
      count_ = 0;  // Ray's stands still; see the header
      if (requests == 0) return target;
      return std::max(static_cast<int>(std::ceil(o.upscaling_factor)), target);
    }
    const double desired = running * (requests / (o.target_ongoing_requests * running));
    const double factor = desired > running ? o.upscaling_factor : o.downscaling_factor;
    int scaled = static_cast<int>(std::ceil(running + factor * (desired - running)));
    if (std::ceil(desired) < running && scaled == running) --scaled;
    scaled = std::max(o.min_replicas, std::min(o.max_replicas, scaled));
    if (scaled > target) {
      count_ = std::max(count_, 0) + 1;
      if (count_ > Periods(o.upscale_delay_s)) return count_ = 0, scaled;
    } else if (scaled < target) {
      count_ = std::min(count_, 0) - 1;
      const bool is_last = target == 1;
      if (!is_last) scaled = std::max(1, scaled);
      const double delay_s = is_last ? o.DelayToZeroS() : o.downscale_delay_s;
      if (-count_ > Periods(delay_s)) return count_ = 0, scaled;
    } else {
      count_ = 0;
    }
    return target;
  }

 private:
  static int Periods(double delay_s) { return static_cast<int>(std::lround(delay_s / kPeriodS)); }
  int count_ = 0;
};

TEST(AutoscalingPolicy, DecidesAsRaysRulesOverRandomLoads) {
  std::mt19937_64 random(20261123);
  const auto uniform = [&](double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random);
  };
  int num_changes = 0;
  for (int round = 0; round < 300; ++round) {
    AutoscalingOptions options;
    options.min_replicas = static_cast<int>(uniform(0, 3));
    options.max_replicas = options.min_replicas + 1 + static_cast<int>(uniform(0, 5));
    options.target_ongoing_requests = uniform(0.5, 5);
    options.upscale_delay_s = kPeriodS * static_cast<int>(uniform(0, 20));
    options.downscale_delay_s = kPeriodS * static_cast<int>(uniform(0, 30));
    if (round % 2 == 0) {
      options.downscale_to_zero_delay_s = kPeriodS * static_cast<int>(uniform(0, 40));
    }
    options.upscaling_factor = uniform(0.2, 2);
    options.downscaling_factor = uniform(0.2, 2);
    AutoscalingPolicy policy;
    CountingRules rules;
    int target = options.min_replicas, expected = options.min_replicas, running = target;
    double requests = 0;
    for (int period = 0; period < 400; ++period) {
      if (period % 37 == 0) requests = std::floor(uniform(0, 4)) * uniform(0, 6);
      if (target != running && uniform(0, 1) < 0.2) running = target;  // replicas take a while
      // A quarter period of jitter of the clock never shifts a whole period.
      const double now_s = 1000 + period * kPeriodS + 1e-6;
      const int before = target;
      target = policy.Decide(options, now_s + 1e-9 * period, requests, running, target).target;
      expected = std::min(rules.Decide(options, requests, running, expected),
                          std::max(options.max_replicas, before));
      ASSERT_EQ(target, expected) << "round " << round << ", period " << period << ", requests "
                                  << requests << ", running " << running;
      num_changes += target != before ? 1 : 0;
    }
  }
  EXPECT_GT(num_changes, 1000);
}

TEST(AutoscalingPolicy, SaysWhatItWaitsForAndHowLong) {
  AutoscalingPolicy policy;
  const AutoscalingOptions options = Options();
  ScaleDecision decision = policy.Decide(options, 10, 6, 1, 1);
  EXPECT_EQ(decision.desired, 3);
  EXPECT_EQ(decision.target, 1);
  EXPECT_EQ(decision.direction, ScaleDirection::kUp);
  EXPECT_DOUBLE_EQ(decision.delay_left_s, 1);
  EXPECT_DOUBLE_EQ(policy.Decide(options, 10.75, 6, 1, 1).delay_left_s, 0.25);
  EXPECT_EQ(policy.Decide(options, 11, 6, 1, 1).target, 3);
}

TEST(AutoscalingPolicy, BeginsADelayAnewWhenTheLoadChangedItsMind) {
  AutoscalingPolicy policy;
  const AutoscalingOptions options = Options();
  policy.Decide(options, 10, 6, 1, 1);
  policy.Decide(options, 10.5, 2, 1, 1);
  EXPECT_DOUBLE_EQ(policy.Decide(options, 10.9, 6, 1, 1).delay_left_s, 1);
}

TEST(AutoscalingPolicy, GoesToZeroOnlyFromOneAndWithItsOwnDelay) {
  AutoscalingPolicy policy;
  const AutoscalingOptions options = Options();
  policy.Decide(options, 10, 0, 3, 3);
  EXPECT_EQ(policy.Decide(options, 12, 0, 3, 3).target, 1);
  policy.Decide(options, 12.1, 0, 1, 1);
  EXPECT_EQ(policy.Decide(options, 14.5, 0, 1, 1).target, 1);
  EXPECT_EQ(policy.Decide(options, 15.2, 0, 1, 1).target, 0);
}

TEST(AutoscalingPolicy, KeepsAnEnormousLoadWithinTheBounds) {
  AutoscalingPolicy policy;
  AutoscalingOptions options = Options();
  options.upscale_delay_s = 0;
  options.target_ongoing_requests = 1e-9;
  EXPECT_EQ(policy.Decide(options, 10, 1e12, 1, 1).target, 4);
}

TEST(RollingMean, ForgetsWhatIsOlderThanThePeriod) {
  RollingMean mean;
  for (int i = 0; i < 100; ++i) mean.Add(i * 0.1, 4, 5);
  EXPECT_DOUBLE_EQ(mean.mean(), 4);
  for (int i = 100; i < 120; ++i) mean.Add(i * 0.1, 0, 5);
  EXPECT_NEAR(mean.mean(), 4 * 3.0 / 5, 0.1);
  for (int i = 120; i < 200; ++i) mean.Add(i * 0.1, 0, 5);
  EXPECT_EQ(mean.mean(), 0);  // exactly: the policy goes to zero only then
}

}  // namespace
}  // namespace hearth::models
