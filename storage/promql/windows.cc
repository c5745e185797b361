#include "storage/promql/windows.h"

namespace hearth::promql {

SeriesWindows::SeriesWindows(const Evaluation& evaluation, const Steps& steps,
                             const TimeShift& shift, int64_t range_ms,
                             const std::vector<std::vector<double>>& scalars)
    : steps_(steps), range_ms_(range_ms), scalars_(&scalars) {
  ends_ms_.reserve(steps.count);
  for (size_t step = 0; step < steps.count; ++step) {
    ends_ms_.push_back(evaluation.Reference(shift, steps.At(step)));
  }
  cuts_.resize(steps.count);
}

// One pass: stale markers go, falls are noted.
void SeriesWindows::Clean(std::vector<Sample>& samples) {
  drop_at_.clear();
  drops_.clear();
  size_t kept = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (IsAbsent(samples[i].value)) continue;
    if (kept != i) samples[kept] = samples[i];
    if (kept > 0 && samples[kept].value < samples[kept - 1].value) {
      drop_at_.push_back(static_cast<uint32_t>(kept));
      drops_.push_back(samples[kept - 1].value);
    }
    ++kept;
  }
  samples.resize(kept);
  samples_ = samples;
}

void SeriesWindows::Cut(std::vector<Sample>& samples) {
  Clean(samples);
  SampleCursor begin;
  SampleCursor end;
  size_t drops_begin = 0;
  size_t drops_end = 0;
  for (size_t step = 0; step < cuts_.size(); ++step) {
    const size_t last = end.After(samples_, ends_ms_[step]);
    const size_t first = begin.After(samples_, ends_ms_[step] - range_ms_);
    // A fall counts where both of its samples are in the window.
    while (drops_end < drop_at_.size() && drop_at_[drops_end] < last) ++drops_end;
    while (drops_begin < drops_end && drop_at_[drops_begin] <= first) ++drops_begin;
    cuts_[step] = {static_cast<uint32_t>(first), static_cast<uint32_t>(last),
                   static_cast<uint32_t>(drops_begin), static_cast<uint32_t>(drops_end)};
  }
}

}  // namespace hearth::promql
