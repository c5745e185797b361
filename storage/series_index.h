// Which series exist: identity, kind, place in the frames, and for a counter its running sum.
// Not locked; the history guards it.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/clock_epochs.h"
#include "storage/promql/series_source.h"
#include "storage/sqlite.h"

namespace hearth::storage {

enum class SeriesKind { kCounter, kGauge };  // a histogram's bucket, sum and count are counters

// What a counter's first reading after a start of this process holds: only what this process counted,
// or a count of the machine that ran on meanwhile (the kernel's, a device's). Of the latter the part
// that no sample saw is unknown, and nothing is made up for it.
enum class CounterOrigin { kThisProcess, kTheMachine };

// Dense, from 0, for the life of the file. In raw frames the id is the slot.
using SeriesId = uint32_t;
inline constexpr SeriesId kNoSeries = std::numeric_limits<SeriesId>::max();

// Columns of a gauge in a roll-up, in slot order; a counter has one slot, its running sum at the
// end of the step, whose difference from the point before is the increase within the step.
enum class GaugeColumn { kMin, kMax, kSum, kCount, kLast };
inline constexpr size_t kGaugeColumns = 5;

struct SeriesInfo {
  promql::Labels labels;
  SeriesKind kind = SeriesKind::kGauge;
  size_t rollup_slot = 0;  // its first
  // Keys of its samples; first > last: none yet.
  int64_t first_ms = std::numeric_limits<int64_t>::max();
  int64_t last_ms = std::numeric_limits<int64_t>::min();
  // Counters. `total` never goes down: `base` takes up what was counted before each reset.
  double total = 0;
  double base = 0;
  double reading = 0;  // the source's last value; 0 at process start, when sources count from 0
  CounterOrigin origin = CounterOrigin::kThisProcess;
  bool was_read = false;  // since the start of this process
  bool dirty = true;   // the stored row is missing or old

  bool Overlaps(const Stretch& stretch) const {
    return first_ms <= stretch.end_key_ms && last_ms >= stretch.start_key_ms;
  }
};

// What is written of a series; a copy, so that writing needs no lock.
struct SeriesRow {
  SeriesId id;
  SeriesInfo info;
};

class SeriesIndex {
 public:
  // 400 KB a raw frame in memory; far above a box's need.
  static constexpr size_t kSeriesMax = 50'000;

  // The id of the labels, new or known. kNoSeries when the index is full. Labels known with another
  // kind begin a new series; the older one is then no longer selected.
  SeriesId Register(const promql::Labels& labels, SeriesKind kind,
                    CounterOrigin origin = CounterOrigin::kThisProcess);

  // The value to store for a reading: a gauge's own, a counter's running sum over all resets
  // (kAbsent for one that is not finite).
  double Take(SeriesId id, double reading);

  // Those that may have samples in one of the stretches.
  std::vector<SeriesId> Match(const std::vector<promql::Matcher>& matchers,
                              const std::vector<Stretch>& stretches) const;

  size_t size() const { return series_.size(); }
  const SeriesInfo& operator[](SeriesId id) const { return series_[id]; }
  SeriesInfo& operator[](SeriesId id) { return series_[id]; }

  Status Load(Connection& connection);
  std::vector<SeriesRow> DirtyRows();  // and counts them as clean
  void MarkDirty(const std::vector<SeriesRow>& rows);
  void MarkAllDirty();
  static Status Write(Connection& connection, const std::vector<SeriesRow>& rows);

 private:
  SeriesId Add(const promql::Labels& labels, SeriesKind kind);
  bool Matches(SeriesId id, const std::vector<promql::Matcher>& matchers) const;

  std::vector<SeriesInfo> series_;
  std::map<promql::Labels, SeriesId> by_labels_;
  std::unordered_map<std::string, std::vector<SeriesId>> by_name_;
  size_t rollup_slots_ = 0;
};

}  // namespace hearth::storage
