// The windows that a range function's steps see of one series: found once, for all steps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/promql/evaluation.h"

namespace hearth::promql {

// What a function over a range vector sees at one step: never empty.
struct Window {
  std::span<const Sample> samples;
  // Where the series fell within the window: the value before each fall.
  std::span<const double> drops;
  int64_t start_ms = 0;  // exclusive
  int64_t end_ms = 0;    // inclusive
  int64_t time_ms = 0;   // of the step
};

// Steps [begin, end) of a query.
struct StepSpan {
  size_t begin = 0;
  size_t end = 0;
};

// A series cut into windows. Windows only move forward, so that finding them all passes every
// sample about once.
class SeriesWindows {
 public:
  // `scalars`: the call's scalar arguments, each by step. All outlive this.
  SeriesWindows(const Evaluation& evaluation, const Steps& steps, const TimeShift& shift,
                int64_t range_ms, const std::vector<std::vector<double>>& scalars);

  // Takes the next series: drops its stale markers and cuts it anew.
  void Cut(std::vector<Sample>& samples);

  std::span<const Sample> samples() const { return samples_; }
  double scalar(size_t argument, size_t step) const { return (*scalars_)[argument][step]; }

  // Indices of the samples of a step's window.
  size_t begin(size_t step) const { return cuts_[step].begin; }
  size_t end(size_t step) const { return cuts_[step].end; }
  size_t size(size_t step) const { return cuts_[step].end - cuts_[step].begin; }

  Window At(size_t step) const {
    const Place& cut = cuts_[step];
    Window window;
    window.samples = samples_.subspan(cut.begin, cut.end - cut.begin);
    window.drops = std::span(drops_).subspan(cut.drops_begin, cut.drops_end - cut.drops_begin);
    window.end_ms = ends_ms_[step];
    window.start_ms = window.end_ms - range_ms_;
    window.time_ms = steps_.At(step);
    return window;
  }

 private:
  struct Place {
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t drops_begin = 0;
    uint32_t drops_end = 0;
  };

  void Clean(std::vector<Sample>& samples);

  const Steps& steps_;
  const int64_t range_ms_;
  const std::vector<std::vector<double>>* const scalars_;
  std::vector<int64_t> ends_ms_;  // by step, ascending
  std::span<const Sample> samples_;
  std::vector<uint32_t> drop_at_;  // indices of the samples below the one before
  std::vector<double> drops_;      // the values before them
  std::vector<Place> cuts_;         // by step
};

// Finds, for limits that do not fall, the first sample after each. Samples mostly come at one
// distance, so the last stride is where to look first.
class SampleCursor {
 public:
  size_t After(std::span<const Sample> samples, int64_t limit_ms) {
    size_t at = std::min(at_ + stride_, samples.size());
    while (at > at_ && samples[at - 1].time_ms > limit_ms) --at;
    while (at < samples.size() && samples[at].time_ms <= limit_ms) ++at;
    stride_ = at - at_;
    return at_ = at;
  }

 private:
  size_t at_ = 0;
  size_t stride_ = 0;
};

}  // namespace hearth::promql
