#include "storage/history.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/log.h"
#include "storage/chunk_table.h"

namespace hearth::storage {

namespace {

constexpr size_t kNewEventsMax = 1000;

std::string TableName(const TierOptions& tier) {
  return tier.step_s == 0 ? "raw" : "rollup_" + std::to_string(tier.step_s) + "s";
}

// Where steps of all tiers begin.
int64_t CommonStepMs(const std::vector<TierOptions>& tiers) {
  int64_t common_s = 1;
  for (const TierOptions& tier : tiers) common_s = std::lcm(common_s, std::max<int64_t>(tier.step_s, 1));
  return common_s * 1000;
}

}  // namespace

History::History(const HistoryOptions& options, const Clock* clock)
    : options_(options), clock_(clock), epochs_(CommonStepMs(options.tiers)) {
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
  int64_t oldest_ms = Tail::kForever;
  for (const Tier& tier : tiers_) oldest_ms = std::min(oldest_ms, tier.OldestMs());
  HEARTH_RETURN_IF_ERROR(epochs_.Load(*connection, oldest_ms, last_ms_));
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

// What was not yet stored of the roll-ups, and the steps that were open when the process ended, come
// from the raw frames.
Status History::ReplayRollups(Connection& connection) {
  std::vector<int64_t> stored_until;  // of tiers_[i + 1]
  for (size_t i = 0; i < rollups_.size(); ++i) {
    const Tail& tail = tiers_[i + 1].tail;
    stored_until.push_back(tail.empty() ? 0 : tail.newest()->time_ms);
  }
  if (stored_until.empty()) return Status::Ok();
  const auto fold = [&](Frame raw) {
    raw.values.resize(std::min(raw.values.size(), series_.size()));
    for (size_t i = 0; i < rollups_.size(); ++i) {
      if (raw.time_ms <= stored_until[i]) continue;
      if (auto closed = rollups_[i].Add(raw, series_)) {
        tiers_[i + 1].tail.Push(std::make_shared<const Frame>(*std::move(closed)));
      }
    }
  };
  return ReadTierFrames(connection, tiers_[0].table,
                        *std::min_element(stored_until.begin(), stored_until.end()),
                        Tail::kForever, fold, NoteBroken(tiers_[0].table));
}

SeriesId History::Register(const promql::Labels& labels, SeriesKind kind, CounterOrigin origin) {
  std::unique_lock lock(mutex_);
  const SeriesId id = series_.Register(labels, kind, origin);
  if (id == kNoSeries) ++stats_.series_refused;
  return id;
}

Status History::Append(int64_t time_ms, std::span<const std::pair<SeriesId, double>> values) {
  if (time_ms < 0 || time_ms >= kChunkTimeMax) {
    return InvalidArgument("a sample at " + std::to_string(time_ms) + " ms is not taken: the clock "
                           "must stand between 1970 and 2248");
  }
  {
    std::unique_lock lock(mutex_);
    auto frame = std::make_shared<Frame>();
    frame->time_ms = TakeKey(time_ms);
    frame->values.assign(series_.size(), kAbsent);
    for (const auto& [id, value] : values) {
      if (id != kNoSeries) frame->values[id] = series_.Take(id, value);
    }
    stats_.samples_appended += static_cast<int64_t>(values.size());
    if (!tiers_[0].tail.empty()) NoteAbsences(*tiers_[0].tail.newest(), *frame);
    NotePresences(*frame);
    last_ms_ = frame->time_ms;
    PushFrame(std::move(frame));
    if (commit_tried_ms_ == 0) commit_tried_ms_ = last_ms_;
    const auto interval_ms = static_cast<int64_t>(options_.commit_interval_s * 1000);
    if (last_ms_ - commit_tried_ms_ < interval_ms) return Status::Ok();
    commit_tried_ms_ = last_ms_;
  }
  {
    std::lock_guard lock(writer_mutex_);
    commit_wanted_ = true;
  }
  writer_wake_.notify_all();
  return Status::Ok();
}

int64_t History::TakeKey(int64_t time_ms) {
  const ClockEpochs::Stamp stamp =
      epochs_.Take(time_ms, clock_->BootSeconds(), clock_->BootId());
  if (stamp.moved_ms != 0) {
    AddEventLocked({time_ms, "clock_moved",
                    "the wall clock was set by " + std::to_string(stamp.moved_ms / 1000) + " s"});
  }
  return stamp.key_ms;
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
  Event keyed = event;
  keyed.time_ms = epochs_.KeyNow(event.time_ms);
  new_events_.emplace(next_event_id_++, std::move(keyed));
}

Result<std::vector<Event>> History::Events(int64_t start_ms, int64_t end_ms) const {
  std::map<int64_t, Event> by_id;
  std::vector<Stretch> stretches;
  {
    std::shared_lock lock(mutex_);
    by_id = new_events_;
    stretches = epochs_.Overlapping(start_ms - 1, end_ms);
  }
  // By id: one may be committed, hence stored too, between the two looks.
  HEARTH_RETURN_IF_ERROR(file_->Read([&](Connection& connection) -> Status {
    HEARTH_ASSIGN_OR_RETURN(
        Statement rows, connection.Prepare("SELECT id, key_ms, kind, text FROM events "
                                           "WHERE key_ms > ? AND key_ms <= ? LIMIT 10000"));
    for (const Stretch& stretch : stretches) {
      rows.Bind(1, stretch.start_key_ms).Bind(2, stretch.end_key_ms);
      while (true) {
        HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
        if (!row) break;
        by_id[rows.Int(0)] = {rows.Int(1), std::string(rows.Text(2)), std::string(rows.Text(3))};
      }
      rows.Reset();
    }
    return Status::Ok();
  }));
  std::vector<Event> events;
  for (auto& [id, event] : by_id) {
    for (const Stretch& stretch : stretches) {
      if (event.time_ms <= stretch.start_key_ms || event.time_ms > stretch.end_key_ms) continue;
      event.time_ms += stretch.offset_ms;
      events.push_back(std::move(event));
      break;
    }
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
    TierStats& shown = stats.tiers.back();
    if (tier.stored.rows > 0) shown.stored.oldest_ms = epochs_.WallOf(tier.stored.oldest_ms);
    if (tier.tail.empty()) continue;
    shown.newest_ms = epochs_.WallOf(tier.tail.newest()->time_ms);
    if (tier.tail.committed_ms() > 0) shown.committed_ms = epochs_.WallOf(tier.tail.committed_ms());
  }
  lock.unlock();
  stats.bytes_on_disk = file_->BytesOnDisk();
  stats.bytes_limit = file_->bytes_limit();
  return stats;
}

}  // namespace hearth::storage
