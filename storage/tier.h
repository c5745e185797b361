// One tier: a table of frames, with its older part compacted into chunks (chunk_table.h) and its
// newest part decoded in memory.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "storage/chunk_codec.h"
#include "storage/frame.h"
#include "storage/sqlite.h"

namespace hearth::storage {

using FramePtr = std::shared_ptr<const Frame>;

struct TierOptions {
  int64_t step_s = 0;  // 0: as sampled
  int64_t keep_s = 0;
  int64_t bytes_max = 0;       // of what is stored, without SQLite's own; 0: only keep_s counts
  size_t chunk_frames = 600;   // frames that become one group of chunks
};

// The memory part of a tier; not locked, the history guards it.
class Tail {
 public:
  void Push(FramePtr frame) { frames_.push_back(std::move(frame)); }
  // Frames after start_ms (exclusive) up to end_ms.
  std::vector<FramePtr> Range(int64_t start_ms, int64_t end_ms) const;
  std::vector<FramePtr> Uncommitted() const { return Range(committed_ms_, kForever); }
  void SetCommitted(int64_t until_ms) { committed_ms_ = until_ms; }
  int64_t committed_ms() const { return committed_ms_; }  // INT64_MIN: nothing

  // Drops frames older than `window_ms` before the newest that are on disk, and of all frames the
  // oldest beyond `bytes_max`. Returns how many of those were not on disk.
  int64_t Trim(int64_t window_ms, size_t bytes_max);

  // Everything before this time is only on disk, or nowhere.
  int64_t first_ms() const { return frames_.empty() ? kForever : frames_.front()->time_ms; }
  bool empty() const { return frames_.empty(); }
  const FramePtr& newest() const { return frames_.back(); }

  static constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

 private:
  std::deque<FramePtr> frames_;  // ascending in time
  int64_t committed_ms_ = std::numeric_limits<int64_t>::min();
};

// The stored part.
struct StoredFrames {
  int64_t rows = 0;                    // frames, in either form
  int64_t bytes = 0;                   // of frames and chunks, without SQLite's own
  int64_t oldest_ms = Tail::kForever;  // kForever: none
  int64_t loose_rows = 0;              // of `rows`, those not yet in chunks
};

struct Tier {
  Tier(std::string table_name, TierOptions tier_options)
      : table(std::move(table_name)), options(tier_options) {}

  int64_t step_ms() const { return options.step_s * 1000; }
  int64_t keep_ms() const { return options.keep_s * 1000; }
  // Raw chunks are many, roll-ups are read by the month.
  ChunkCoding coding() const {
    return options.step_s == 0 ? ChunkCoding::kSmallest : ChunkCoding::kFastest;
  }
  // The first time this tier can answer for; kForever when it is empty.
  int64_t OldestMs() const { return std::min(stored.oldest_ms, tail.first_ms()); }

  const std::string table;
  const TierOptions options;
  Tail tail;
  StoredFrames stored;
  FrameEncoder encoder;  // used by the writer alone
};

// Called with each decoded frame, and with the time of each that could not be decoded.
struct FrameVisitor {
  using BrokenFn = std::function<void(int64_t time_ms, const Status&)>;
  std::function<void(int64_t time_ms, const FrameDecoder&)> frame;
  BrokenFn broken;
};

// Visits the frames of a table in (start_ms, end_ms], ascending. One that does not decode is a gap,
// as are the deltas upon it.
Status ReadFrames(Connection& connection, const std::string& table, int64_t start_ms,
                  int64_t end_ms, const FrameVisitor& visitor);

// Encodes and inserts. Inside the caller's transaction; when that fails, the caller resets the
// encoder.
Status WriteFrames(Connection& connection, Tier& tier, const std::vector<FramePtr>& frames);

// Deletes at most `rows_max` of the oldest frames not yet in chunks before `cutoff_ms`. Returns how
// many.
Result<int64_t> DeleteOldest(Connection& connection, const std::string& table, int64_t cutoff_ms,
                             int64_t rows_max);

// Both forms together.
Result<StoredFrames> MeasureTier(Connection& connection, const std::string& table);

}  // namespace hearth::storage
