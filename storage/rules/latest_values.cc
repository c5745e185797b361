#include "storage/rules/latest_values.h"

#include <algorithm>

#include "storage/promql/evaluator.h"

namespace hearth::rules {

namespace {

// The history has a gap where a series ended, but queries look back over gaps for five minutes.
constexpr int64_t kEndedKeptMs = 6 * 60 * 1000;

bool Fits(const promql::Labels& labels, const std::vector<promql::Matcher>& matchers) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const promql::Matcher& matcher) {
    return matcher.Matches(labels.Get(matcher.name));
  });
}

}  // namespace

void LatestValues::Put(const promql::Labels& labels, const promql::Sample& sample) {
  std::lock_guard lock(mutex_);
  latest_[labels] = sample;
  std::erase_if(latest_, [&](const auto& entry) {
    return promql::IsStaleMarker(entry.second.value) &&
           sample.time_ms - entry.second.time_ms > kEndedKeptMs;
  });
}

std::vector<std::pair<promql::Labels, double>> LatestValues::Current() const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<promql::Labels, double>> current;
  for (const auto& [labels, sample] : latest_) {
    if (!promql::IsStaleMarker(sample.value)) current.emplace_back(labels, sample.value);
  }
  return current;
}

Result<std::vector<promql::Series>> LatestValues::Select(
    const std::vector<promql::Matcher>& matchers, const promql::SelectHints& hints) const {
  HEARTH_ASSIGN_OR_RETURN(std::vector<promql::Series> selected,
                          recorded_->Select(matchers, hints));
  std::lock_guard lock(mutex_);
  for (const auto& [labels, sample] : latest_) {
    if (sample.time_ms <= hints.start_ms || sample.time_ms > hints.end_ms) continue;
    if (!Fits(labels, matchers)) continue;
    const auto found =
        std::find_if(selected.begin(), selected.end(),
                     [&](const promql::Series& series) { return series.labels == labels; });
    const bool ended = promql::IsStaleMarker(sample.value);
    if (found == selected.end()) {
      if (!ended) selected.push_back({labels, {sample}});
    } else if (ended && !found->samples.empty()) {
      // The history's last sample of it may have been under way when the series ended.
      const int64_t end_ms = std::max(sample.time_ms, found->samples.back().time_ms + 1);
      if (end_ms <= hints.end_ms) found->samples.push_back({end_ms, sample.value});
    } else if (found->samples.empty() || found->samples.back().time_ms < sample.time_ms) {
      found->samples.push_back(sample);
    }
  }
  return selected;
}

Result<std::vector<promql::Labels>> LatestValues::SeriesLabels(
    const std::vector<promql::Matcher>& matchers, int64_t start_ms, int64_t end_ms) const {
  return recorded_->SeriesLabels(matchers, start_ms, end_ms);
}

}  // namespace hearth::rules
