#include "storage/promql/range_functions.h"

#include <cmath>
#include <functional>
#include <limits>

#include "storage/promql/kahan.h"
#include "storage/promql/sliding.h"

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
    for (const double drop : window.drops) increase += drop;
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

double PlainSum(std::span<const Sample> samples) {
  KahanSum sum;
  for (const Sample& sample : samples) sum.Add(sample.value);
  return sum.Result();
}

double PlainMean(std::span<const Sample> samples) {
  MeanAccumulator mean;
  for (const Sample& sample : samples) mean.Add(sample.value);
  return mean.Result();
}

double Variance(std::span<const Sample> samples) {
  VarianceAccumulator variance;
  for (const Sample& sample : samples) variance.Add(sample.value);
  return variance.Result();
}

// `function` of every window that is not empty.
template <typename Function>
void EachWindow(const SeriesWindows& windows, StepSpan steps, double* values, Function function) {
  for (size_t step = steps.begin; step < steps.end; ++step) {
    if (windows.size(step) > 0) values[step] = function(windows.At(step), step);
  }
}

}  // namespace

void Rate(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values,
             [](const Window& window, size_t) { return Extrapolate(window, true, true); });
}

void Increase(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values,
             [](const Window& window, size_t) { return Extrapolate(window, true, false); });
}

void Delta(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values,
             [](const Window& window, size_t) { return Extrapolate(window, false, false); });
}

void InstantRate(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values,
             [](const Window& window, size_t) { return LastStep(window, true); });
}

void InstantDelta(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values,
             [](const Window& window, size_t) { return LastStep(window, false); });
}

void Derivative(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values, [](const Window& window, size_t) {
    if (window.samples.size() < 2) return kAbsent;
    return Regression(window.samples, window.samples.front().time_ms).slope;
  });
}

void PredictLinear(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values, [&](const Window& window, size_t step) {
    if (window.samples.size() < 2) return kAbsent;
    const Line line = Regression(window.samples, window.time_ms);
    return line.slope * windows.scalar(0, step) + line.intercept;
  });
}

void Resets(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values, [](const Window& window, size_t) {
    return static_cast<double>(window.drops.size());
  });
}

void CountOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values, [](const Window& window, size_t) {
    return static_cast<double>(window.samples.size());
  });
}

void LastOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values,
             [](const Window& window, size_t) { return window.samples.back().value; });
}

void PresentOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  EachWindow(windows, steps, values, [](const Window&, size_t) { return 1.0; });
}

void StdvarOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  const PrefixVariance prefix(windows, steps);
  EachWindow(windows, steps, values, [&](const Window& window, size_t step) {
    double variance = 0;
    if (prefix.Variance(windows.begin(step), windows.end(step), variance)) return variance;
    return Variance(window.samples);
  });
}

void StddevOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  StdvarOverTime(windows, steps, values);
  for (size_t step = steps.begin; step < steps.end; ++step) {
    if (!IsAbsent(values[step])) values[step] = std::sqrt(values[step]);
  }
}

void SumOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  const PrefixSums prefix(windows, steps);
  EachWindow(windows, steps, values, [&](const Window& window, size_t step) {
    double sum = 0;
    if (prefix.Sum(windows.begin(step), windows.end(step), sum)) return sum;
    return PlainSum(window.samples);
  });
}

void AvgOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  const PrefixSums prefix(windows, steps);
  EachWindow(windows, steps, values, [&](const Window& window, size_t step) {
    double sum = 0;
    if (prefix.Sum(windows.begin(step), windows.end(step), sum)) {
      return sum / static_cast<double>(window.samples.size());
    }
    return PlainMean(window.samples);
  });
}

void Changes(const SeriesWindows& windows, StepSpan steps, double* values) {
  // changes[i]: how often the samples up to the i-th of these differ from the one before.
  const size_t base = windows.begin(steps.begin);
  const auto samples = windows.samples().subspan(base, windows.end(steps.end - 1) - base);
  std::vector<uint32_t> changes(samples.size(), 0);
  for (size_t i = 1; i < samples.size(); ++i) {
    const double previous = samples[i - 1].value;
    const double current = samples[i].value;
    const bool changed = current != previous && !(std::isnan(current) && std::isnan(previous));
    changes[i] = changes[i - 1] + (changed ? 1 : 0);
  }
  EachWindow(windows, steps, values, [&](const Window&, size_t step) {
    return static_cast<double>(changes[windows.end(step) - 1 - base] -
                               changes[windows.begin(step) - base]);
  });
}

void MinOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  SlideExtremes<std::less<>>(windows, steps, values);
}

void MaxOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  SlideExtremes<std::greater<>>(windows, steps, values);
}

void QuantileOverTime(const SeriesWindows& windows, StepSpan steps, double* values) {
  SortedWindow sorted(windows.samples());
  for (size_t step = steps.begin; step < steps.end; ++step) {
    if (windows.size(step) == 0) continue;
    values[step] =
        sorted.Quantile(windows.scalar(0, step), windows.begin(step), windows.end(step));
  }
}

}  // namespace hearth::promql
