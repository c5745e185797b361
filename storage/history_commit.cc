// The writer of the history: what goes to disk once a minute, what is expired, and what is done
// when the disk will not take it.
#include <algorithm>

#include "base/log.h"
#include "storage/chunk_table.h"
#include "storage/history.h"

namespace hearth::storage {

namespace {

// Rows expired per commit and tier: at least this many, or four for each one written, so that a
// long absence is worked off in slices of milliseconds.
constexpr int64_t kExpireRows = 256;
// What waited for a full disk goes out in transactions of a size that the write-ahead log can take.
constexpr size_t kFramesPerCommit = 300;
constexpr int64_t kEventsKept = 10'000;
constexpr double kFullnessMax = 0.95;  // above it the oldest frames go before SQLite must refuse
constexpr int kMakeRoomTries = 4;
constexpr int64_t kTierRowsMin = 64;  // a tier this small is not worth cutting for space
// Compaction holds a group decoded: 32 MiB, or one keyframe interval where there are that many
// series.
constexpr size_t kGroupValuesMax = size_t{4} << 20;
constexpr size_t kGroupFramesMin = 64;
// Frames of a roll-up are stored some at a time, so that a commit touches the raw table alone: until
// then the raw frames can bring them back.
constexpr int64_t kRollupHoldMs = 3'600'000;
constexpr int64_t kRollupHoldShare = 32;  // of the file's limit; in memory they take more than there
// Of one tier after one commit; a file of an older release is worked off at this pace.
constexpr int kGroupsPerCommit = 4;

// Whole groups of chunks as long as there are any, then frames. Returns how many frames are gone.
Result<int64_t> DeleteRows(Connection& connection, const std::string& table, int64_t cutoff_ms,
                           int64_t rows) {
  HEARTH_ASSIGN_OR_RETURN(const int64_t deleted,
                          DeleteOldestGroups(connection, table, cutoff_ms, rows));
  if (deleted > 0) return deleted;
  return DeleteOldest(connection, table, cutoff_ms, rows);
}

}  // namespace

struct History::Batch {
  struct TierPart {
    std::vector<FramePtr> frames;
    StoredFrames stored = {};  // when all is written
  };
  std::vector<TierPart> tiers;
  std::vector<SeriesRow> series;
  std::vector<Epoch> epochs;
  std::map<int64_t, Event> events;
  std::vector<int64_t> expired_below;  // by tier
  bool cut = false;                    // there is more to write
};

void History::RunWriter() {
  std::unique_lock lock(writer_mutex_);
  while (true) {
    writer_wake_.wait(lock, [&] { return commit_wanted_ || stopping_; });
    if (stopping_) return;  // the destructor flushes
    commit_wanted_ = false;
    lock.unlock();
    (void)Flush();  // stats and the log tell of a failure; the next interval tries again
    lock.lock();
  }
}

Status History::Flush() {
  std::lock_guard lock(commit_mutex_);
  while (true) {
    const double begin = clock_->MonotonicSeconds();
    Batch batch = TakeBatch();
    if (const Status status = Commit(batch); !status.ok()) {
      RecoverFrom(status, batch);
      return status;
    }
    FinishBatch(batch, clock_->MonotonicSeconds() - begin);
    if (!batch.cut) break;
  }
  // What compaction cannot do now it does after the next commit; the samples are safe as they are.
  if (const Status status = Compact(); !status.ok()) RecoverFrom(status, Batch());
  file_->RestoreBallast();
  return Status::Ok();
}

// A transaction for each group: its frames are deleted and its chunks written, or neither.
Status History::Compact() {
  for (Tier& tier : tiers_) {
    for (int round = 0; round < kGroupsPerCommit; ++round) {
      size_t frames_max = tier.options.chunk_frames;
      {
        std::shared_lock lock(mutex_);
        const size_t slots = std::max<size_t>(series_.size() * kGaugeColumns, 1);
        frames_max = std::min(frames_max, std::max(kGroupFramesMin, kGroupValuesMax / slots));
        if (tier.stored.loose_rows <= static_cast<int64_t>(frames_max)) break;
      }
      HEARTH_ASSIGN_OR_RETURN(Connection* const connection, file_->Writer());
      HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection));
      HEARTH_ASSIGN_OR_RETURN(const bool compacted, CompactOldest(*connection, tier.table,
                                                                  frames_max, tier.coding(),
                                                                  NoteBroken(tier.table)));
      if (!compacted) break;
      HEARTH_ASSIGN_OR_RETURN(const StoredFrames stored, MeasureTier(*connection, tier.table));
      HEARTH_RETURN_IF_ERROR(transaction.Commit());
      std::unique_lock lock(mutex_);
      tier.stored = stored;
    }
  }
  return Status::Ok();
}

History::Batch History::TakeBatch() {
  std::unique_lock lock(mutex_);
  Batch batch;
  for (const Tier& tier : tiers_) {
    std::vector<FramePtr> frames = tier.tail.Uncommitted();
    if (MayHold(tier, frames)) frames.clear();
    if (frames.size() > kFramesPerCommit) {
      frames.resize(kFramesPerCommit);
      batch.cut = true;
    }
    batch.tiers.push_back({std::move(frames)});
    batch.expired_below.push_back(epochs_.ExpiredBelow(tier.keep_ms()));
  }
  batch.series = series_.DirtyRows();
  batch.epochs = epochs_.TakeUnwritten();
  batch.events = new_events_;
  return batch;
}

// Whether these frames of a roll-up can wait for the next commit.
bool History::MayHold(const Tier& tier, const std::vector<FramePtr>& frames) const {
  if (&tier == &tiers_[0] || frames.empty()) return false;
  if (frames.size() >= tier.options.chunk_frames) return false;
  const int64_t first_ms = frames.front()->time_ms;
  const bool raw_has_them = tiers_[0].stored.oldest_ms <= first_ms - tier.step_ms();
  const auto bytes =
      static_cast<int64_t>(frames.size() * frames.back()->values.size() * sizeof(double));
  return raw_has_them && bytes < file_->bytes_limit() / kRollupHoldShare &&
         last_ms_ - first_ms < std::min(kRollupHoldMs, tiers_[0].keep_ms() / 2);
}

Status History::Commit(Batch& batch) {
  HEARTH_ASSIGN_OR_RETURN(const double fullness, file_->Fullness());
  if (fullness > kFullnessMax) HEARTH_RETURN_IF_ERROR(DropOldest());
  Status status = WriteBatch(batch);
  for (int i = 0; i < kMakeRoomTries && status.code() == StatusCode::kResourceExhausted; ++i) {
    HEARTH_RETURN_IF_ERROR(MakeRoom());
    for (Tier& tier : tiers_) tier.encoder.Reset();  // what it encoded was not stored
    status = WriteBatch(batch);
  }
  return status;
}

Status History::WriteBatch(Batch& batch) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, file_->Writer());
  HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection));
  HEARTH_RETURN_IF_ERROR(SeriesIndex::Write(*connection, batch.series));
  HEARTH_RETURN_IF_ERROR(ClockEpochs::Write(*connection, batch.epochs));
  for (size_t i = 0; i < tiers_.size(); ++i) {
    HEARTH_RETURN_IF_ERROR(Store(*connection, tiers_[i], batch.tiers[i].frames));
  }
  HEARTH_ASSIGN_OR_RETURN(Statement insert, connection->Prepare(
      "INSERT OR REPLACE INTO events(id, key_ms, kind, text) VALUES(?, ?, ?, ?)"));
  for (const auto& [id, event] : batch.events) {
    insert.Bind(1, id).Bind(2, event.time_ms).Bind(3, std::string_view(event.kind));
    insert.Bind(4, std::string_view(event.text));
    HEARTH_RETURN_IF_ERROR(insert.Run());
  }
  HEARTH_RETURN_IF_ERROR(Expire(*connection, batch));
  return transaction.Commit();
}

// A whole group's frames need not be rows first.
Status History::Store(Connection& connection, Tier& tier, const std::vector<FramePtr>& frames) {
  if (frames.empty()) return Status::Ok();
  // A commit that failed may be there after all, with less or in another form.
  HEARTH_RETURN_IF_ERROR(EraseFrom(connection, tier.table, frames.front()->time_ms));
  if (frames.size() < tier.options.chunk_frames || tier.stored.loose_rows > 0) {
    return WriteFrames(connection, tier, frames);
  }
  tier.encoder.Reset();
  return WriteAsGroup(connection, tier.table, tier.coding(), frames);
}

Status History::Expire(Connection& connection, Batch& batch) {
  HEARTH_RETURN_IF_ERROR(connection.Execute(
      "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - " +
      std::to_string(kEventsKept)));
  for (size_t i = 0; i < tiers_.size(); ++i) {
    const Tier& tier = tiers_[i];
    Batch::TierPart& part = batch.tiers[i];
    const int64_t rows = std::max(kExpireRows, 4 * static_cast<int64_t>(part.frames.size()));
    HEARTH_RETURN_IF_ERROR(
        DeleteRows(connection, tier.table, batch.expired_below[i], rows).status());
    HEARTH_ASSIGN_OR_RETURN(part.stored, MeasureTier(connection, tier.table));
    const int64_t bytes_max = tier.options.bytes_max;
    if (bytes_max == 0 || part.stored.bytes <= bytes_max) continue;
    HEARTH_RETURN_IF_ERROR(DeleteRows(connection, tier.table, Tail::kForever, rows).status());
    HEARTH_ASSIGN_OR_RETURN(part.stored, MeasureTier(connection, tier.table));
  }
  return Status::Ok();
}

// SQLite refused for want of space: the disk is full, or one commit overran the limit.
Status History::MakeRoom() {
  file_->ReleaseBallast();
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, file_->Writer());
  // The ballast's space first serves to empty the write-ahead log, which then starts over in the
  // space it has; truncated, others might take that. Where even this fails, deleting may not.
  (void)connection->Execute("PRAGMA wal_checkpoint(PASSIVE)");
  return DropOldest();
}

// A tenth of the finest tier that has something to give; the coarsest only when it is all there is.
Status History::DropOldest() {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, file_->Writer());
  for (Tier& tier : tiers_) {
    StoredFrames stored;
    {
      std::shared_lock lock(mutex_);
      stored = tier.stored;
    }
    if (stored.rows <= kTierRowsMin) continue;
    HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection));
    const int64_t rows = std::max(kTierRowsMin, stored.rows / 10);
    HEARTH_ASSIGN_OR_RETURN(const int64_t deleted,
                            DeleteRows(*connection, tier.table, Tail::kForever, rows));
    HEARTH_ASSIGN_OR_RETURN(stored, MeasureTier(*connection, tier.table));
    HEARTH_RETURN_IF_ERROR(transaction.Commit());
    std::unique_lock lock(mutex_);
    if (stats_.frames_dropped == 0) {
      AddEventLocked({epochs_.WallOf(last_ms_), "history_full",
                      "no space for the history; the oldest frames of " + tier.table +
                          " are deleted"});
    }
    stats_.frames_dropped += deleted;
    tier.stored = stored;
    return Status::Ok();
  }
  return ResourceExhausted("no space for the history, and no rows to delete: " + file_->path());
}

void History::FinishBatch(const Batch& batch, double seconds) {
  std::unique_lock lock(mutex_);
  for (size_t i = 0; i < tiers_.size(); ++i) {
    const Batch::TierPart& part = batch.tiers[i];
    tiers_[i].stored = part.stored;
    if (!part.frames.empty()) tiers_[i].tail.SetCommitted(part.frames.back()->time_ms);
  }
  for (const auto& [id, event] : batch.events) new_events_.erase(id);
  ++stats_.commits;
  stats_.last_error.clear();
  stats_.last_commit_ms = clock_->WallMillis();
  stats_.last_commit_s = seconds;
  stats_.commit_seconds += seconds;
}

void History::RecoverFrom(const Status& failure, const Batch& batch) {
  for (Tier& tier : tiers_) tier.encoder.Reset();
  const bool broken = failure.code() == StatusCode::kDataLoss;
  Status replaced;
  if (broken) {
    replaced = file_->Replace(failure.message());
  } else if (failure.code() != StatusCode::kResourceExhausted) {
    file_->DropWriter();
  }
  std::unique_lock lock(mutex_);
  if (stats_.last_error != failure.message()) LOG(kError) << "history: " << failure.message();
  ++stats_.write_errors;
  stats_.last_error = failure.message();
  series_.MarkDirty(batch.series);
  epochs_.MarkUnwritten();
  if (!broken || !replaced.ok()) return;
  // The fresh file gets what memory still has.
  ++stats_.recovered;
  AddEventLocked({epochs_.WallOf(last_ms_), "history_recovered", file_->set_aside()});
  series_.MarkAllDirty();
  for (Tier& tier : tiers_) {
    tier.stored = {};
    tier.tail.SetCommitted(std::numeric_limits<int64_t>::min());
  }
}

}  // namespace hearth::storage
