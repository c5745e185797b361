// What a window that moves by a few samples need not compute anew: sums, extremes, order.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/promql/windows.h"

namespace hearth::promql {

// Sums of windows as differences of running sums that carry twice a double's digits, which makes
// them exact but for the last bit. Only made where windows overlap so much that it pays.
class PrefixSums {
 public:
  PrefixSums(const SeriesWindows& windows, StepSpan steps)
      : PrefixSums(windows, steps, [](double value) { return value; }) {}

  // Of what `map` makes of each value.
  template <typename Map>
  PrefixSums(const SeriesWindows& windows, StepSpan steps, Map map)
      : base_(windows.begin(steps.begin)) {
    const auto samples = windows.samples().subspan(base_, windows.end(steps.end - 1) - base_);
    if (!Pays(windows, steps, samples.size())) return;
    running_.resize(1);
    running_.reserve(samples.size() + 1);
    for (const Sample& sample : samples) Add(map(sample.value));
    // An overflow anywhere spoils all that follows.
    if (!std::isfinite(running_.back().high + running_.back().low)) running_.clear();
  }

  // The sum of samples [begin, end); false where it must be taken from the samples themselves: no
  // running sums, values that are not finite, or a sum too small beside them.
  bool Sum(size_t begin, size_t end, double& sum) const;

 private:
  struct Running {
    double high = 0;
    double low = 0;
    uint32_t not_zero = 0;    // samples so far that are not 0
    uint32_t not_finite = 0;  // samples so far that are not finite; they are left out of the sum
  };
  static bool Pays(const SeriesWindows& windows, StepSpan steps, size_t samples);
  void Add(double value);

  std::vector<Running> running_;  // [i]: of the first i samples from base_ on
  size_t base_ = 0;
  double largest_ = 0;  // of |high|
};

// The population variance of windows, from running sums of distances to one value and their squares.
class PrefixVariance {
 public:
  PrefixVariance(const SeriesWindows& windows, StepSpan steps);

  // False where it must be taken from the samples themselves.
  bool Variance(size_t begin, size_t end, double& variance) const;

 private:
  const PrefixSums distances_;
  const PrefixSums squares_;
};

// The order statistics of a window that moves forward over `samples`.
class SortedWindow {
 public:
  explicit SortedWindow(std::span<const Sample> samples) : samples_(samples) {}

  // Of samples [begin, end), which is not empty; neither bound may fall from call to call. NaN
  // counts as below every number, as in Prometheus.
  double Quantile(double quantile, size_t begin, size_t end);

 private:
  void Collect(size_t begin, size_t end, std::vector<double>& values, size_t& nans) const;
  void Move(size_t begin, size_t end);

  const std::span<const Sample> samples_;
  size_t begin_ = 0;
  size_t end_ = 0;
  std::vector<double> sorted_;  // the numbers of [begin_, end_)
  size_t nans_ = 0;
  std::vector<double> leaving_, coming_, merged_;
};

// The least (std::less) or greatest (std::greater) number of each window; NaN only among NaN.
// Keeps the samples that may still become it, so that each is passed once.
template <typename Better>
void SlideExtremes(const SeriesWindows& windows, StepSpan steps, double* values) {
  const std::span<const Sample> samples = windows.samples();
  std::vector<uint32_t> candidates;  // indices, best first; from `head` on
  size_t head = 0;
  size_t next = 0;
  for (size_t step = steps.begin; step < steps.end; ++step) {
    const size_t begin = windows.begin(step);
    const size_t end = windows.end(step);
    if (begin == end) continue;
    if (next <= begin) {
      next = begin;
      candidates.clear();
      head = 0;
    }
    for (; next < end; ++next) {
      const double value = samples[next].value;
      if (std::isnan(value)) continue;
      while (candidates.size() > head && Better()(value, samples[candidates.back()].value)) {
        candidates.pop_back();
      }
      candidates.push_back(static_cast<uint32_t>(next));
    }
    while (head < candidates.size() && candidates[head] < begin) ++head;
    values[step] =
        samples[head < candidates.size() ? static_cast<size_t>(candidates[head]) : begin].value;
  }
}

}  // namespace hearth::promql
