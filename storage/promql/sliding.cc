#include "storage/promql/sliding.h"

#include <algorithm>

#include "storage/promql/quantile.h"

namespace hearth::promql {

namespace {

// Running sums cost about as much as four plain ones.
constexpr size_t kOverlapMin = 4;
// Running sums are good to some 1e-28 of the largest; a sum below this share of it would show that.
constexpr double kShareMin = 1e-10;

}  // namespace

bool PrefixSums::Pays(const SeriesWindows& windows, StepSpan steps, size_t samples) {
  size_t work = 0;
  for (size_t step = steps.begin; step < steps.end; ++step) work += windows.size(step);
  return work >= kOverlapMin * samples;
}

void PrefixSums::Add(double value) {
  Running now = running_.back();
  if (!std::isfinite(value)) {
    ++now.not_finite;
  } else if (value != 0) {
    ++now.not_zero;
    // Knuth's exact sum of two, then the renormalised pair.
    const double sum = now.high + value;
    const double added = sum - now.high;
    const double error = (now.high - (sum - added)) + (value - added) + now.low;
    now.high = sum + error;
    now.low = error - (now.high - sum);
    largest_ = std::max(largest_, std::abs(now.high));
  }
  running_.push_back(now);
}

bool PrefixSums::Sum(size_t begin, size_t end, double& sum) const {
  if (running_.empty()) return false;
  const Running& from = running_[begin - base_];
  const Running& to = running_[end - base_];
  if (from.not_finite != to.not_finite) return false;
  sum = 0;
  if (from.not_zero == to.not_zero) return true;
  const double high = to.high - from.high;
  const double taken = high - to.high;
  const double error = (to.high - (high - taken)) - (from.high + taken);
  sum = high + (error + (to.low - from.low));
  return std::abs(sum) > largest_ * kShareMin;
}

namespace {

// A value that those of the steps lie around.
double Middle(const SeriesWindows& windows, StepSpan steps) {
  const size_t begin = windows.begin(steps.begin);
  const size_t end = windows.end(steps.end - 1);
  return begin < end ? windows.samples()[begin + (end - begin) / 2].value : 0;
}

}  // namespace

PrefixVariance::PrefixVariance(const SeriesWindows& windows, StepSpan steps)
    : distances_(windows, steps,
                 [middle = Middle(windows, steps)](double value) { return value - middle; }),
      squares_(windows, steps, [middle = Middle(windows, steps)](double value) {
        return (value - middle) * (value - middle);
      }) {}

bool PrefixVariance::Variance(size_t begin, size_t end, double& variance) const {
  double distance = 0;
  double squares = 0;
  if (!distances_.Sum(begin, end, distance) || !squares_.Sum(begin, end, squares)) return false;
  const auto count = static_cast<double>(end - begin);
  const double left = squares - distance * distance / count;
  variance = left / count;
  // Below this share the difference has lost digits that Welford's method keeps.
  constexpr double kLeftMin = 1e-3;
  return squares == 0 || left > squares * kLeftMin;
}

void SortedWindow::Collect(size_t begin, size_t end, std::vector<double>& values,
                           size_t& nans) const {
  values.clear();
  nans = 0;
  for (const Sample& sample : samples_.subspan(begin, end - begin)) {
    if (std::isnan(sample.value)) {
      ++nans;
    } else {
      values.push_back(sample.value);
    }
  }
}

// One pass over what is sorted: samples that leave are passed over, those that come are put in.
void SortedWindow::Move(size_t begin, size_t end) {
  size_t nans_leaving = 0;
  size_t nans_coming = 0;
  Collect(begin_, begin, leaving_, nans_leaving);
  Collect(end_, end, coming_, nans_coming);
  std::sort(leaving_.begin(), leaving_.end());
  std::sort(coming_.begin(), coming_.end());
  merged_.clear();
  auto leaving = leaving_.begin();
  auto coming = coming_.begin();
  for (const double value : sorted_) {
    if (leaving != leaving_.end() && *leaving == value) {
      ++leaving;
      continue;
    }
    while (coming != coming_.end() && *coming < value) merged_.push_back(*coming++);
    merged_.push_back(value);
  }
  merged_.insert(merged_.end(), coming, coming_.end());
  sorted_.swap(merged_);
  nans_ = nans_ + nans_coming - nans_leaving;
}

double SortedWindow::Quantile(double quantile, size_t begin, size_t end) {
  // Where much of a window is new, sorting all of it costs no more.
  constexpr size_t kNewShare = 4;
  const size_t moved = (begin - begin_) + (end - end_);
  if (begin >= end_ || moved * kNewShare > end - begin) {
    Collect(begin, end, sorted_, nans_);
    std::sort(sorted_.begin(), sorted_.end());
  } else if (moved > 0) {
    Move(begin, end);
  }
  begin_ = begin;
  end_ = end;
  return QuantileOfSorted(quantile, sorted_, nans_);
}

}  // namespace hearth::promql
