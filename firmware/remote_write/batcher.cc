#include "firmware/remote_write/batcher.h"

#include <algorithm>
#include <map>

#include "base/check.h"

namespace hearth::remote_write {

Batcher::Batcher(std::vector<promql::Series> stretch, const PushedNames& names, int64_t start_ms,
                 size_t samples_max)
    : stretch_(std::move(stretch)), samples_max_(samples_max), done_ms_(start_ms) {
  std::map<int64_t, size_t> times;
  for (const promql::Series& series : stretch_) {
    std::vector<PushedName> shown = names.Of(series.labels);
    if (shown.empty()) continue;
    for (const promql::Sample& sample : series.samples) times[sample.time_ms] += shown.size();
    for (PushedName& name : shown) outgoing_.push_back({std::move(name), series.samples});
  }
  times_.assign(times.begin(), times.end());
}

size_t Batcher::TimesThatFit() const {
  size_t samples = times_[time_].second;
  size_t end = time_ + 1;
  while (end < times_.size() && samples + times_[end].second <= samples_max_) {
    samples += times_[end++].second;
  }
  return end;
}

Batch Batcher::Next() {
  CHECK(!empty()) << "asked for a batch after the last";
  const size_t end = TimesThatFit();
  const int64_t end_ms = times_[end - 1].first;
  Batch batch;
  for (; series_ < outgoing_.size(); ++series_) {
    Outgoing& series = outgoing_[series_];
    const auto last = std::find_if(series.left.begin(), series.left.end(),
                                   [&](const auto& sample) { return sample.time_ms > end_ms; });
    const auto count = static_cast<size_t>(last - series.left.begin());
    if (count == 0) continue;
    if (batch.samples + count > samples_max_) break;  // a time that does not fit into one batch
    batch.parts.push_back({&series.name, series.left.first(count)});
    batch.samples += count;
    series.left = series.left.subspan(count);
  }
  if (series_ == outgoing_.size()) {
    series_ = 0;
    time_ = end;
    done_ms_ = end_ms;
  }
  batch.until_ms = done_ms_;
  return batch;
}

}  // namespace hearth::remote_write
