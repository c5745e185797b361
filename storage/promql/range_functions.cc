#include "storage/promql/range_functions.h"

#include <cmath>
#include <limits>

#include "storage/promql/kahan.h"
#include "storage/promql/quantile.h"

namespace hearth::promql {

namespace {

double Seconds(int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

// The increase between first and last sample, extrapolated to the ends of the window: by the
// distance to the end where samples come that close, else by half the mean distance of samples; a
// counter never below zero.
double Extrapolate(const Window& window, bool is_counter, bool per_second) {
  const auto samples = window.samples;
  if (samples.size() < 2) return kAbsent;
  const Sample& first = samples.front();
  const Sample& last = samples.back();
  double increase = last.value - first.value;
  if (is_counter) {
    for (const uint32_t reset : window.resets) increase += samples[reset - window.first - 1].value;
  }
  double to_start = Seconds(first.time_ms - window.start_ms);
  double to_end = Seconds(window.end_ms - last.time_ms);
  const double sampled = Seconds(last.time_ms - first.time_ms);
  const double mean_distance = sampled / static_cast<double>(samples.size() - 1);
  const double threshold = mean_distance * 1.1;
  if (to_start >= threshold) to_start = mean_distance / 2;
  if (is_counter && increase > 0 && first.value >= 0) {
    to_start = std::min(to_start, sampled * (first.value / increase));
  }
  if (to_end >= threshold) to_end = mean_distance / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (per_second) factor /= Seconds(window.end_ms - window.start_ms);
  return increase * factor;
}

double LastStep(const Window& window, bool is_rate) {
  const size_t count = window.samples.size();
  if (count < 2) return kAbsent;
  const Sample& last = window.samples[count - 1];
  const Sample& previous = window.samples[count - 2];
  if (last.time_ms == previous.time_ms) return kAbsent;
  if (!is_rate) return last.value - previous.value;
  const double increase = last.value < previous.value ? last.value : last.value - previous.value;
  return increase / Seconds(last.time_ms - previous.time_ms);
}

struct Line {
  double slope = 0;
  double intercept = 0;  // at the time given
};

// Least squares, with x = 0 at `time_ms`.
Line Regression(std::span<const Sample> samples, int64_t time_ms) {
  KahanSum sum_x, sum_y, sum_xy, sum_x2;
  const double first = samples.front().value;
  bool constant = true;
  for (const Sample& sample : samples) {
    if (sample.value != first) constant = false;
    const double x = Seconds(sample.time_ms - time_ms);
    sum_x.Add(x);
    sum_y.Add(sample.value);
    sum_xy.Add(x * sample.value);
    sum_x2.Add(x * x);
  }
  if (constant) {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    return std::isinf(first) ? Line{kNaN, kNaN} : Line{0, first};
  }
  const auto total = [](const KahanSum& sum) { return sum.sum + sum.compensation; };
  const double count = static_cast<double>(samples.size());
  const double covariance = total(sum_xy) - total(sum_x) * total(sum_y) / count;
  const double variance = total(sum_x2) - total(sum_x) * total(sum_x) / count;
  Line line;
  line.slope = covariance / variance;
  line.intercept = total(sum_y) / count - line.slope * total(sum_x) / count;
  return line;
}

}  // namespace

double Rate(const Window& window) { return Extrapolate(window, true, true); }
double Increase(const Window& window) { return Extrapolate(window, true, false); }
double Delta(const Window& window) { return Extrapolate(window, false, false); }
double InstantRate(const Window& window) { return LastStep(window, true); }
double InstantDelta(const Window& window) { return LastStep(window, false); }

double Derivative(const Window& window) {
  if (window.samples.size() < 2) return kAbsent;
  return Regression(window.samples, window.samples.front().time_ms).slope;
}

double PredictLinear(const Window& window) {
  if (window.samples.size() < 2) return kAbsent;
  const Line line = Regression(window.samples, window.time_ms);
  return line.slope * window.args[0] + line.intercept;
}

double Changes(const Window& window) {
  double changes = 0;
  for (size_t i = 1; i < window.samples.size(); ++i) {
    const double previous = window.samples[i - 1].value;
    const double current = window.samples[i].value;
    if (current != previous && !(std::isnan(current) && std::isnan(previous))) ++changes;
  }
  return changes;
}

double Resets(const Window& window) { return static_cast<double>(window.resets.size()); }

double SumOverTime(const Window& window) {
  KahanSum sum;
  for (const Sample& sample : window.samples) sum.Add(sample.value);
  return sum.Result();
}

double AvgOverTime(const Window& window) {
  MeanAccumulator mean;
  for (const Sample& sample : window.samples) mean.Add(sample.value);
  return mean.Result();
}

double MinOverTime(const Window& window) {
  double result = window.samples.front().value;
  for (const Sample& sample : window.samples) {
    if (sample.value < result || std::isnan(result)) result = sample.value;
  }
  return result;
}

double MaxOverTime(const Window& window) {
  double result = window.samples.front().value;
  for (const Sample& sample : window.samples) {
    if (sample.value > result || std::isnan(result)) result = sample.value;
  }
  return result;
}

double CountOverTime(const Window& window) { return static_cast<double>(window.samples.size()); }
double LastOverTime(const Window& window) { return window.samples.back().value; }
double PresentOverTime(const Window&) { return 1; }

double StdvarOverTime(const Window& window) {
  VarianceAccumulator variance;
  for (const Sample& sample : window.samples) variance.Add(sample.value);
  return variance.Result();
}

double StddevOverTime(const Window& window) { return std::sqrt(StdvarOverTime(window)); }

double QuantileOverTime(const Window& window) {
  std::vector<double> values;
  values.reserve(window.samples.size());
  for (const Sample& sample : window.samples) values.push_back(sample.value);
  return Quantile(window.args[0], values);
}

}  // namespace hearth::promql
