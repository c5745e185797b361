// Reading the history: which tiers answer for which part of the time, and the samples of it.
#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "base/limits.h"
#include "storage/chunk_table.h"
#include "storage/history.h"

namespace hearth::storage {

namespace {

// A query that needs more points of one series takes the next coarser tier, if its step can bear
// that.
constexpr int64_t kPointsPerSeries = 10'000;
// A range selector sees at least so many points, so that a rate's slope stays its slope.
constexpr int64_t kPointsPerRange = 6;
constexpr size_t kBrokenFramesNoted = 1000;

double GaugePoint(GaugeView view, const auto& column) {
  switch (view) {
    case GaugeView::kMin:
      return column(GaugeColumn::kMin);
    case GaugeView::kMax:
      return column(GaugeColumn::kMax);
    case GaugeView::kSum:
      return column(GaugeColumn::kSum);
    case GaugeView::kCount:
      return column(GaugeColumn::kCount);
    case GaugeView::kAverage: {
      const double sum = column(GaugeColumn::kSum);
      if (IsAbsent(sum)) return kAbsent;
      return sum / column(GaugeColumn::kCount);
    }
    case GaugeView::kLast:
      break;
  }
  return column(GaugeColumn::kLast);
}

}  // namespace

struct History::Segment {
  const Tier* tier;
  bool raw;
  int64_t start_ms;  // a key, exclusive
  int64_t end_ms;    // a key, inclusive
  int64_t offset_ms;  // to the wall clock
  std::vector<FramePtr> tail;
  int64_t tail_first_ms;  // the tail has everything from here on
  size_t points_max;
};

struct History::Chosen {
  SeriesId id;
  SeriesKind kind;
  size_t rollup_slot;
  promql::Series series;
  bool alive = false;  // the frame before had a sample of it

  // Returns how many samples were added: a series that ends says so.
  int Add(int64_t time_ms, double value) {
    const bool was_alive = std::exchange(alive, !IsAbsent(value));
    if (!alive && !was_alive) return 0;
    series.samples.push_back({time_ms, value});
    return 1;
  }
  int64_t AddColumn(std::span<const int64_t> keys, int64_t offset_ms, const double* values) {
    const size_t before = series.samples.size();
    for (size_t i = 0; i < keys.size(); ++i) Add(keys[i] + offset_ms, values[i]);
    return static_cast<int64_t>(series.samples.size() - before);
  }

  // kAbsent, or the point of this series in a frame whose values `at` gives by slot.
  double Point(bool raw, GaugeView view, const auto& at) const {
    if (raw) {
      if (kind == SeriesKind::kGauge && view == GaugeView::kCount && !IsAbsent(at(id))) return 1;
      return at(id);
    }
    if (kind == SeriesKind::kCounter) return at(rollup_slot);
    const auto column = [&](GaugeColumn c) { return at(rollup_slot + static_cast<size_t>(c)); };
    return GaugePoint(view, column);
  }

  // Those that Point() looks at, relative to the first slot.
  std::vector<size_t> Columns(bool raw, GaugeView view) const {
    if (raw || kind == SeriesKind::kCounter) return {0};
    std::vector<size_t> columns;
    (void)GaugePoint(view, [&](GaugeColumn c) {
      columns.push_back(static_cast<size_t>(c));
      return 0.0;
    });
    return columns;
  }
};

size_t History::ChooseTier(const promql::SelectHints& hints) const {
  int64_t step_max_ms = hints.step_ms > 0 ? hints.step_ms : hints.range_ms;
  if (hints.range_ms > 0) step_max_ms = std::min(step_max_ms, hints.range_ms / kPointsPerRange);
  size_t chosen = 0;
  for (size_t i = 1; i < tiers_.size(); ++i) {
    const int64_t finer_step_ms = std::max<int64_t>(tiers_[i - 1].step_ms(), 1000);
    if ((hints.end_ms - hints.start_ms) / finer_step_ms <= kPointsPerSeries) break;
    if (tiers_[i].step_ms() > step_max_ms) break;
    chosen = i;
  }
  return tiers_[chosen].tail.empty() ? 0 : chosen;
}

// From new to old: raw frames for what the chosen tier has not closed yet, the chosen tier, and
// coarser ones for what it has given up already.
std::vector<History::Segment> History::Plan(const Stretch& stretch, size_t chosen) const {
  std::vector<Segment> segments;
  int64_t end_ms = stretch.end_key_ms;
  const auto add = [&](const Tier& tier, int64_t from_ms) {
    const int64_t start_ms = std::max(stretch.start_key_ms, from_ms);
    if (start_ms >= end_ms) return;
    std::vector<FramePtr> tail = tier.tail.Range(start_ms, end_ms);
    const int64_t newest_ms = tail.empty() ? end_ms : tail.back()->time_ms;
    const int64_t steps = (newest_ms - std::max(start_ms, tier.OldestMs() - 1)) /
                          std::max<int64_t>(tier.step_ms(), 1000);
    const int64_t frames = tier.stored.rows + static_cast<int64_t>(tail.size());
    const auto points_max = static_cast<size_t>(std::max<int64_t>(std::min(steps, frames), 0) + 1);
    segments.push_back({&tier, tier.options.step_s == 0, start_ms, end_ms, stretch.offset_ms,
                        std::move(tail), tier.tail.first_ms(), points_max});
    end_ms = start_ms;
  };
  if (chosen > 0) add(tiers_[0], tiers_[chosen].tail.newest()->time_ms);
  for (size_t i = chosen; i < tiers_.size() && end_ms > stretch.start_key_ms; ++i) {
    if (const int64_t oldest_ms = tiers_[i].OldestMs(); oldest_ms != Tail::kForever) {
      add(tiers_[i], oldest_ms - 1);
    }
  }
  // A coarse tier may be younger than the finer ones: added to the options after them. What its
  // first point stands for is not told twice.
  if (!segments.empty() && end_ms < stretch.end_key_ms) end_ms -= segments.back().tier->step_ms();
  for (size_t i = chosen; i > 0 && end_ms > stretch.start_key_ms; --i) {
    if (const int64_t oldest_ms = tiers_[i - 1].OldestMs(); oldest_ms != Tail::kForever) {
      add(tiers_[i - 1], oldest_ms - 1);
    }
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

Result<std::vector<promql::Series>> History::Select(const std::vector<promql::Matcher>& matchers,
                                                    const promql::SelectHints& hints) const {
  return SelectGauges(matchers, hints, GaugeView::kLast);
}

Result<std::vector<promql::Series>> History::SelectGauges(
    const std::vector<promql::Matcher>& matchers, const promql::SelectHints& hints,
    GaugeView view) const {
  std::vector<Chosen> chosen;
  std::vector<Segment> segments;
  {
    std::shared_lock lock(mutex_);
    const std::vector<Stretch> stretches = epochs_.Answering(hints.start_ms, hints.end_ms);
    for (const SeriesId id : series_.Match(matchers, stretches)) {
      const SeriesInfo& info = series_[id];
      chosen.push_back({id, info.kind, info.rollup_slot, {info.labels, {}}});
    }
    if (chosen.empty()) return std::vector<promql::Series>();
    const size_t tier = ChooseTier(hints);
    for (const Stretch& stretch : stretches) {
      std::vector<Segment> part = Plan(stretch, tier);
      std::move(part.begin(), part.end(), std::back_inserter(segments));
    }
  }
  size_t points = 0;
  for (const Segment& segment : segments) points += segment.points_max;
  if (points * chosen.size() < static_cast<size_t>(limits::kQuerySamplesMax)) {
    for (Chosen& one : chosen) one.series.samples.reserve(points);
  }
  for (const Segment& segment : segments) HEARTH_RETURN_IF_ERROR(Fill(segment, view, chosen));
  std::vector<promql::Series> series;
  for (Chosen& one : chosen) {
    if (!one.series.samples.empty()) series.push_back(std::move(one.series));
  }
  return series;
}

Status History::Fill(const Segment& segment, GaugeView view, std::vector<Chosen>& chosen) const {
  int64_t samples = 0;
  for (const Chosen& one : chosen) samples += static_cast<int64_t>(one.series.samples.size());
  const auto take = [&](int64_t time_ms, const auto& at) {
    if (samples > limits::kQuerySamplesMax) return;
    for (Chosen& one : chosen) {
      samples += one.Add(time_ms + segment.offset_ms, one.Point(segment.raw, view, at));
    }
  };
  const int64_t stored_end_ms = std::min(segment.end_ms, segment.tail_first_ms - 1);
  if (segment.start_ms < stored_end_ms) {
    Segment stored = segment;
    stored.end_ms = stored_end_ms;
    const FrameVisitor visitor = {
        [&](int64_t time_ms, const FrameDecoder& decoder) {
          take(time_ms, [&](size_t slot) { return decoder.Value(slot); });
        },
        NoteBroken(segment.tier->table)};
    const auto read = [&](Connection& connection) -> Status {
      HEARTH_RETURN_IF_ERROR(FillFromChunks(connection, stored, view, chosen, samples));
      return ReadFrames(connection, segment.tier->table, segment.start_ms, stored_end_ms, visitor);
    };
    HEARTH_RETURN_IF_ERROR(file_->Read(read));
  }
  for (const FramePtr& frame : segment.tail) {
    take(frame->time_ms, [&](size_t slot) { return frame->At(slot); });
  }
  if (samples > limits::kQuerySamplesMax) {
    return ResourceExhausted(
        "query processing would load too many samples into memory in query execution");
  }
  return Status::Ok();
}

Status History::FillFromChunks(Connection& connection, const Segment& segment, GaugeView view,
                               std::vector<Chosen>& chosen, int64_t& samples) const {
  HEARTH_ASSIGN_OR_RETURN(
      ChunkReader reader, ChunkReader::Open(connection, segment.tier->table, segment.start_ms,
                                            segment.end_ms, NoteBroken(segment.tier->table)));
  // By column: a view of a gauge looks at one or two of them, a counter has one.
  struct Wanted {
    Chosen* one;
    size_t first_slot;
    size_t column;
    bool last;     // of this series
    bool is_only;  // and the values are the points
  };
  std::map<size_t, Wanted> by_slot;
  std::vector<size_t> slots;
  for (Chosen& one : chosen) {
    const size_t first_slot = segment.raw ? one.id : one.rollup_slot;
    const std::vector<size_t> columns = one.Columns(segment.raw, view);
    for (const size_t column : columns) {
      const bool is_only = columns.size() == 1 && view != GaugeView::kCount;
      by_slot[first_slot + column] = {&one, first_slot, column, column == columns.back(), is_only};
    }
  }
  for (const auto& [slot, wanted] : by_slot) slots.push_back(slot);
  std::array<std::vector<double>, kGaugeColumns> columns;
  while (samples <= limits::kQuerySamplesMax) {
    HEARTH_ASSIGN_OR_RETURN(const bool group, reader.Next());
    if (!group) break;
    const std::vector<int64_t>& times = reader.times();
    const auto first = std::upper_bound(times.begin(), times.end(), segment.start_ms);
    const auto last = std::upper_bound(first, times.end(), segment.end_ms);
    HEARTH_RETURN_IF_ERROR(reader.Columns(slots, [&](size_t slot, const std::vector<double>& values) {
      const Wanted& wanted = by_slot.at(slot);
      if (values.empty() && !wanted.one->alive && wanted.is_only) return;
      if (wanted.is_only && !values.empty()) {
        samples += wanted.one->AddColumn({first, last}, segment.offset_ms,
                                         values.data() + (first - times.begin()));
        return;
      }
      columns[wanted.column] = values;
      columns[wanted.column].resize(times.size(), kAbsent);
      if (!wanted.last) return;
      for (auto time = first; time != last; ++time) {
        const auto row = static_cast<size_t>(time - times.begin());
        const auto at = [&](size_t s) { return columns[s - wanted.first_slot][row]; };
        samples += wanted.one->Add(*time + segment.offset_ms,
                                   wanted.one->Point(segment.raw, view, at));
      }
    }));
  }
  return Status::Ok();
}

// A frame that does not decode is a gap: said once, then passed over.
FrameVisitor::BrokenFn History::NoteBroken(const std::string& table) const {
  return [this, table](int64_t time_ms, const Status& status) {
    std::unique_lock lock(mutex_);
    if (broken_.size() >= kBrokenFramesNoted || !broken_.emplace(table, time_ms).second) return;
    ++stats_.frames_broken;
    AddEventLocked({epochs_.WallOf(time_ms), "history_frame_broken", table + ": " + status.message()});
  };
}

Result<std::vector<promql::Labels>> History::SeriesLabels(
    const std::vector<promql::Matcher>& matchers, int64_t start_ms, int64_t end_ms) const {
  std::shared_lock lock(mutex_);
  std::vector<promql::Labels> labels;
  const std::vector<Stretch> stretches = epochs_.Answering(start_ms - 1, end_ms);
  for (const SeriesId id : series_.Match(matchers, stretches)) {
    labels.push_back(series_[id].labels);
  }
  return labels;
}

}  // namespace hearth::storage
