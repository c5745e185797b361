// The metric history: every series of the box, sampled once a second, kept for as long as its tiers
// say.
//
// One row per sample time in SQLite, committed every minute and at once on Flush(); what is not yet
// committed is read from memory, so a query is never behind. Older rows are compacted into chunks
// of one series each. Counters come back as running sums that do not fall when the process starts
// again, so that rate() and increase() agree on every tier. Inside, time is counted in keys that
// only ever grow (clock_epochs.h); the calls below speak of the wall clock.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "storage/clock_epochs.h"
#include "storage/history_file.h"
#include "storage/promql/series_source.h"
#include "storage/rollup.h"
#include "storage/series_index.h"
#include "storage/tier.h"

namespace hearth::storage {

struct HistoryOptions {
  std::string path;
  // What a power cut may cost. FULL commits once a minute are 62 fdatasync an hour.
  double commit_interval_s = 60;
  // The first is the raw tier; each further one is coarser and kept longer, until its time or its
  // bytes run out. With SQLite's own the bytes stay below bytes_max.
  std::vector<TierOptions> tiers = {{0, 6 * 3600, int64_t{96} << 20},
                                    {10, 3 * 86400, int64_t{128} << 20, 300},
                                    {60, 35 * 86400, int64_t{128} << 20},
                                    {900, 2 * 365 * 86400, int64_t{64} << 20}};
  // The database never grows beyond this; the oldest raw data go first.
  int64_t bytes_max = int64_t{512} << 20;
  // The newest part that is kept decoded, so that a live dashboard does not read SQLite.
  int64_t tail_s = 70 * 60;
  size_t tail_bytes_max = size_t{64} << 20;  // of each tier
};

// Something that happened, for annotations.
struct Event {
  int64_t time_ms = 0;
  std::string kind;  // one word, e.g. "clock_moved"
  std::string text;
};

struct TierStats {
  std::string name;
  int64_t step_s = 0;
  int64_t keep_s = 0;
  StoredFrames stored;
  int64_t newest_ms = 0;     // of its samples, those not on disk included; 0: none
  int64_t committed_ms = 0;  // of those on disk
};

struct HistoryStats {
  int64_t series = 0;
  int64_t series_refused = 0;    // registrations beyond the limit
  int64_t samples_appended = 0;  // values
  int64_t frames_lost = 0;       // given up in memory before the disk took them
  int64_t frames_broken = 0;     // found undecodable on reading
  int64_t frames_dropped = 0;    // deleted before their time to stay below the size limit
  int64_t commits = 0;
  int64_t write_errors = 0;
  std::string last_error;  // of the last commit; empty after a good one
  int64_t last_commit_ms = 0;
  double last_commit_s = 0;   // how long it took
  double commit_seconds = 0;  // sum over all
  int64_t recovered = 0;      // broken files set aside
  int64_t bytes_on_disk = 0;
  int64_t bytes_limit = 0;  // of the database: the smaller of the option and the file system's
  std::vector<TierStats> tiers;
};

// What a point of a coarse tier stands for where a gauge is asked for.
enum class GaugeView { kLast, kMin, kMax, kSum, kCount, kAverage };

class History : public promql::SeriesSource {
 public:
  // Errors as HistoryFile::Open. `clock` lives as long as the history.
  static Result<std::unique_ptr<History>> Open(const HistoryOptions& options, const Clock* clock);
  ~History() override;  // commits

  // Idempotent. kNoSeries beyond SeriesIndex::kSeriesMax; Append ignores that id. Any thread.
  SeriesId Register(const promql::Labels& labels, SeriesKind kind,
                    CounterOrigin origin = CounterOrigin::kThisProcess);

  // All values of one time; a series that is not named has ended or has a gap. Counters are
  // cumulative since their origin. Called by one thread, when `time_ms` is now: where
  // the clock was set since the last call, earlier samples may move with it. Memory only: never
  // waits for the disk. kInvalidArgument for a time before 1970 or after 2248.
  Status Append(int64_t time_ms, std::span<const std::pair<SeriesId, double>> values);

  // Commits now. On failure everything stays in memory and is tried again.
  Status Flush();

  void AddEvent(const Event& event);
  // In [start_ms, end_ms], ascending; at most 10,000.
  Result<std::vector<Event>> Events(int64_t start_ms, int64_t end_ms) const;

  Result<std::vector<promql::Series>> Select(const std::vector<promql::Matcher>& matchers,
                                             const promql::SelectHints& hints) const override;
  Result<std::vector<promql::Series>> SelectGauges(const std::vector<promql::Matcher>& matchers,
                                                   const promql::SelectHints& hints,
                                                   GaugeView view) const;
  // By the first and last sample of each series: one that has only a gap there is named too.
  Result<std::vector<promql::Labels>> SeriesLabels(const std::vector<promql::Matcher>& matchers,
                                                   int64_t start_ms, int64_t end_ms) const override;

  HistoryStats stats() const;

 private:
  struct Batch;    // what one commit writes
  struct Segment;  // a stretch of time answered by one tier
  struct Chosen;   // a selected series on its way to an answer

  History(const HistoryOptions& options, const Clock* clock);
  Status Load();
  Status LoadTier(Connection& connection, Tier& tier);
  Status ReplayRollups(Connection& connection);
  void AdoptLastFrame();

  // history.cc; under mutex_
  void AddEventLocked(const Event& event) const;
  int64_t TakeKey(int64_t time_ms);
  void NoteAbsences(const Frame& before, const Frame& now);
  void NotePresences(const Frame& frame);
  void PushFrame(FramePtr frame);

  // history_commit.cc
  void RunWriter();
  Status Commit(Batch& batch);
  Status Compact();
  Batch TakeBatch();
  bool MayHold(const Tier& tier, const std::vector<FramePtr>& frames) const;  // under mutex_
  Status WriteBatch(Batch& batch);
  static Status Store(Connection& connection, Tier& tier, const std::vector<FramePtr>& frames);
  Status Expire(Connection& connection, Batch& batch);
  Status MakeRoom();
  Status DropOldest();
  void FinishBatch(const Batch& batch, double seconds);
  void RecoverFrom(const Status& failure, const Batch& batch);

  // history_query.cc
  std::vector<Segment> Plan(const Stretch& stretch, size_t chosen) const;
  size_t ChooseTier(const promql::SelectHints& hints) const;
  Status Fill(const Segment& segment, GaugeView view, std::vector<Chosen>& chosen) const;
  Status FillFromChunks(Connection& connection, const Segment& segment, GaugeView view,
                        std::vector<Chosen>& chosen, int64_t& samples) const;
  FrameVisitor::BrokenFn NoteBroken(const std::string& table) const;

  const HistoryOptions options_;
  const Clock* const clock_;
  std::unique_ptr<HistoryFile> file_;

  mutable std::shared_mutex mutex_;  // all below but what the comments except
  SeriesIndex series_;
  ClockEpochs epochs_;
  std::vector<Tier> tiers_;
  std::vector<Rollup> rollups_;  // of tiers_[i + 1]
  int64_t last_ms_ = 0;          // of the newest frame
  int64_t commit_tried_ms_ = 0;  // of the frame then newest
  mutable std::map<int64_t, Event> new_events_;  // by id, with keys as times; not yet committed
  mutable int64_t next_event_id_ = 1;
  mutable std::set<std::pair<std::string, int64_t>> broken_;  // frames already reported
  mutable HistoryStats stats_;

  std::mutex commit_mutex_;  // held for a whole commit; before mutex_

  std::mutex writer_mutex_;
  std::condition_variable writer_wake_;
  bool commit_wanted_ = false;  // under writer_mutex_
  bool stopping_ = false;       // under writer_mutex_
  std::thread writer_;
};

}  // namespace hearth::storage
