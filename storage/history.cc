#include "storage/history.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/log.h"
#include "storage/chunk_table.h"

namespace hearth::storage {

namespace {

// A wall clock that moves by more than this against the monotonic one was set, not disciplined.
constexpr double kClockStepMs = 2000;
// After a step nothing is expired for so long: a clock that is set wrong for a moment must not cost
// data.
constexpr double kExpiryPauseS = 3600;
constexpr size_t kNewEventsMax = 1000;

std::string TableName(const TierOptions& tier) {
  return tier.step_s == 0 ? "raw" : "rollup_" + std::to_string(tier.step_s) + "s";
}

}  // namespace

History::History(const HistoryOptions& options, const Clock* clock)
    : options_(options), clock_(clock) {
  CHECK(!options_.tiers.empty() && options_.tiers[0].step_s == 0) << "the first tier is raw";
  for (const TierOptions& tier : options_.tiers) tiers_.emplace_back(TableName(tier), tier);
  for (size_t i = 1; i < tiers_.size(); ++i) {
    CHECK(tiers_[i].step_ms() > tiers_[i - 1].step_ms()) << "tiers are listed from fine to coarse";
    rollups_.emplace_back(tiers_[i].step_ms());
  }
}

Result<std::unique_ptr<History>> History::Open(const HistoryOptions& options, const Clock* clock) {
  std::unique_ptr<History> history(new History(options, clock));
  std::vector<std::string> tables;
  for (const Tier& tier : history->tiers_) tables.push_back(tier.table);
  HEARTH_ASSIGN_OR_RETURN(history->file_,
                          HistoryFile::Open(options.path, options.bytes_max, std::move(tables)));
  Status loaded = history->Load();
  if (loaded.code() == StatusCode::kDataLoss) {
    // SQLite finds it sound, its content is not: as good as broken.
    HEARTH_RETURN_IF_ERROR(history->file_->Replace(loaded.message()));
    std::unique_ptr<HistoryFile> fresh = std::move(history->file_);
    history.reset(new History(options, clock));
    history->file_ = std::move(fresh);
    loaded = history->Load();
  }
  HEARTH_RETURN_IF_ERROR(loaded);
  if (const std::string& why = history->file_->set_aside(); !why.empty()) {
    history->stats_.recovered = 1;
    history->AddEvent({clock->WallMillis(), "history_recovered", why});
  }
  history->writer_ = std::thread([h = history.get()] { h->RunWriter(); });
  return history;
}

History::~History() {
  if (!writer_.joinable()) return;  // Open failed
  {
    std::lock_guard lock(writer_mutex_);
    stopping_ = true;
  }
  writer_wake_.notify_all();
  writer_.join();
  if (const Status flushed = Flush(); !flushed.ok()) {
    LOG(kError) << "the newest part of the history is lost: " << flushed.message();
  }
}

Status History::Load() {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, file_->Writer());
  HEARTH_RETURN_IF_ERROR(series_.Load(*connection));
  for (Tier& tier : tiers_) HEARTH_RETURN_IF_ERROR(LoadTier(*connection, tier));
  AdoptLastFrame();
  HEARTH_RETURN_IF_ERROR(ReplayRollups(*connection));
  HEARTH_ASSIGN_OR_RETURN(next_event_id_,
                          connection->QueryInt("SELECT coalesce(max(id), 0) + 1 FROM events"));
  return Status::Ok();
}

Status History::LoadTier(Connection& connection, Tier& tier) {
  HEARTH_ASSIGN_OR_RETURN(tier.stored, MeasureTier(connection, tier.table));
  if (tier.stored.rows == 0) return Status::Ok();
  HEARTH_ASSIGN_OR_RETURN(
      const int64_t newest,
      connection.QueryInt("SELECT coalesce((SELECT max(ts) FROM " + tier.table +
                          "), (SELECT max(last_ms) FROM " + tier.table + "_groups))"));
  const auto push = [&](Frame frame) {
    tier.tail.Push(std::make_shared<const Frame>(std::move(frame)));
  };
  HEARTH_RETURN_IF_ERROR(ReadTierFrames(connection, tier.table, newest - options_.tail_s * 1000,
                                        newest, push, NoteBroken(tier.table)));
  tier.tail.SetCommitted(newest);
  last_ms_ = std::max(last_ms_, tier.step_ms() == 0 ? newest : 0);
  (void)tier.tail.Trim(options_.tail_s * 1000, options_.tail_bytes_max);
  return Status::Ok();
}

// A series' stored row is as old as its last absence; where the last frame has it, that is newer.
void History::AdoptLastFrame() {
  if (tiers_[0].tail.empty()) return;
  const Frame& frame = *tiers_[0].tail.newest();
  const size_t count = std::min(frame.values.size(), series_.size());
  for (SeriesId id = 0; id < count; ++id) {
    if (IsAbsent(frame.values[id])) continue;
    SeriesInfo& info = series_[id];
    info.last_ms = std::max(info.last_ms, frame.time_ms);
    if (info.kind == SeriesKind::kCounter) info.total = info.base = frame.values[id];
  }
}

// The step that was open when the process ended goes on from the raw frames since the last closed
// one.
Status History::ReplayRollups(Connection& connection) {
  for (size_t i = 0; i < rollups_.size(); ++i) {
    Tail& tail = tiers_[i + 1].tail;
    const int64_t from = tail.empty() ? 0 : tail.newest()->time_ms;
    const auto fold = [&](Frame raw) {
      raw.values.resize(std::min(raw.values.size(), series_.size()));
      if (auto closed = rollups_[i].Add(raw, series_)) {
        tail.Push(std::make_shared<const Frame>(*std::move(closed)));
      }
    };
    HEARTH_RETURN_IF_ERROR(ReadTierFrames(connection, tiers_[0].table, from, Tail::kForever, fold,
                                          NoteBroken(tiers_[0].table)));
  }
  return Status::Ok();
}

SeriesId History::Register(const promql::Labels& labels, SeriesKind kind) {
  std::unique_lock lock(mutex_);
  const SeriesId id = series_.Register(labels, kind);
  if (id == kNoSeries) ++stats_.series_refused;
  return id;
}

Status History::Append(int64_t time_ms, std::span<const std::pair<SeriesId, double>> values) {
  {
    std::unique_lock lock(mutex_);
    auto frame = std::make_shared<Frame>();
    frame->time_ms = time_ms;
    frame->values.assign(series_.size(), kAbsent);
    // Counters move also while frames are held: a reset in that time must not be missed.
    for (const auto& [id, value] : values) {
      if (id != kNoSeries) frame->values[id] = series_.Take(id, value);
    }
    NoteClock(time_ms);
    if (time_ms <= last_ms_) return HoldFrame(time_ms);
    holding_ = false;
    stats_.samples_appended += static_cast<int64_t>(values.size());
    if (!tiers_[0].tail.empty()) NoteAbsences(*tiers_[0].tail.newest(), *frame);
    NotePresences(*frame);
    last_ms_ = time_ms;
    PushFrame(std::move(frame));
    if (commit_tried_ms_ == 0) commit_tried_ms_ = time_ms;
    const auto interval_ms = static_cast<int64_t>(options_.commit_interval_s * 1000);
    if (time_ms - commit_tried_ms_ < interval_ms) return Status::Ok();
    commit_tried_ms_ = time_ms;
  }
  {
    std::lock_guard lock(writer_mutex_);
    commit_wanted_ = true;
  }
  writer_wake_.notify_all();
  return Status::Ok();
}

void History::NoteClock(int64_t time_ms) {
  const double monotonic_s = clock_->MonotonicSeconds();
  if (last_monotonic_s_ >= 0) {
    const double step_ms = static_cast<double>(time_ms - last_wall_ms_) -
                           (monotonic_s - last_monotonic_s_) * 1000;
    if (std::abs(step_ms) > kClockStepMs) {
      expire_after_s_ = monotonic_s + kExpiryPauseS;
      AddEventLocked({time_ms, "clock_moved",
                      "the wall clock moved by " + std::to_string(std::llround(step_ms / 1000)) +
                          " s"});
    }
  }
  last_wall_ms_ = time_ms;
  last_monotonic_s_ = monotonic_s;
}

Status History::HoldFrame(int64_t time_ms) {
  ++stats_.frames_held;
  const std::string what = "sample of " + std::to_string(time_ms) +
                           " ms is not after the last one, of " + std::to_string(last_ms_) +
                           " ms; samples are skipped until then";
  if (!holding_) AddEventLocked({time_ms, "history_held", what});
  holding_ = true;
  return FailedPrecondition(what);
}

void History::NoteAbsences(const Frame& before, const Frame& now) {
  const size_t count = std::min(before.values.size(), series_.size());
  for (SeriesId id = 0; id < count; ++id) {
    if (!IsAbsent(before.values[id]) && IsAbsent(now.At(id))) series_[id].dirty = true;
  }
}

void History::NotePresences(const Frame& frame) {
  for (SeriesId id = 0; id < frame.values.size(); ++id) {
    if (IsAbsent(frame.values[id])) continue;
    SeriesInfo& info = series_[id];
    if (info.first_ms > frame.time_ms) {
      info.first_ms = frame.time_ms;
      info.dirty = true;
    }
    info.last_ms = frame.time_ms;
  }
}

void History::PushFrame(FramePtr frame) {
  for (size_t i = 0; i < rollups_.size(); ++i) {
    if (auto closed = rollups_[i].Add(*frame, series_)) {
      tiers_[i + 1].tail.Push(std::make_shared<const Frame>(*std::move(closed)));
    }
  }
  tiers_[0].tail.Push(std::move(frame));
  for (Tier& tier : tiers_) {
    stats_.frames_lost += tier.tail.Trim(options_.tail_s * 1000, options_.tail_bytes_max);
  }
}

void History::AddEvent(const Event& event) {
  std::unique_lock lock(mutex_);
  AddEventLocked(event);
}

void History::AddEventLocked(const Event& event) const {
  LOG(kInfo) << "event " << event.kind << ": " << event.text;
  if (new_events_.size() >= kNewEventsMax) return;  // the log above still has it
  new_events_.emplace(next_event_id_++, event);
}

Result<std::vector<Event>> History::Events(int64_t start_ms, int64_t end_ms) const {
  std::map<int64_t, Event> by_id;
  {
    std::shared_lock lock(mutex_);
    by_id = new_events_;
  }
  // By id: one may be committed, hence stored too, between the two looks.
  HEARTH_RETURN_IF_ERROR(file_->Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(
        Statement rows, connection.Prepare("SELECT id, time_ms, kind, text FROM events "
                                           "WHERE time_ms BETWEEN ? AND ? LIMIT 10000"));
    rows.Bind(1, start_ms).Bind(2, end_ms);
    while (true) {
      HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return Status::Ok();
      by_id[rows.Int(0)] = {rows.Int(1), std::string(rows.Text(2)), std::string(rows.Text(3))};
    }
  }));
  std::vector<Event> events;
  for (auto& [id, event] : by_id) {
    if (event.time_ms >= start_ms && event.time_ms <= end_ms) events.push_back(std::move(event));
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.time_ms < b.time_ms; });
  return events;
}

HistoryStats History::stats() const {
  std::shared_lock lock(mutex_);
  HistoryStats stats = stats_;
  stats.series = static_cast<int64_t>(series_.size());
  for (const Tier& tier : tiers_) {
    stats.tiers.push_back({tier.table, tier.options.step_s, tier.options.keep_s, tier.stored});
    if (tier.tail.empty()) continue;
    stats.tiers.back().newest_ms = tier.tail.newest()->time_ms;
    stats.tiers.back().committed_ms = std::max<int64_t>(tier.tail.committed_ms(), 0);
  }
  lock.unlock();
  stats.bytes_on_disk = file_->BytesOnDisk();
  return stats;
}

}  // namespace hearth::storage
