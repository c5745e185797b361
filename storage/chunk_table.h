// The compacted part of a tier. Once enough frames have gathered, the oldest become one group: the
// row of the group has their times, and each slot that has a value among them one chunk
// (chunk_codec.h) with its values at those times. A tier's groups are older than its frames.
//
//   <tier>_groups(first_ms INTEGER PRIMARY KEY, last_ms, frames, bytes, times)
//   <tier>_chunks(key INTEGER PRIMARY KEY, chunk)   key = first_ms << 20 | slot
//
// The keys ascend with time, so that rows are only ever appended and pages stay full.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/chunk_codec.h"
#include "storage/frame.h"
#include "storage/sqlite.h"
#include "storage/tier.h"

namespace hearth::storage {

// Milliseconds, the year 2248: later times do not fit a key.
inline constexpr int64_t kChunkTimeMax = int64_t{1} << 43;

// The tables, for CREATE TABLE IF NOT EXISTS.
std::string ChunkTablesSql(const std::string& tier_table);

// Moves the `frames_max` oldest frames, or a few less up to a keyframe, into a group when there are
// more. Frames that do not decode are reported and left out. All inside the caller's transaction.
// Returns whether there was something to do.
Result<bool> CompactOldest(Connection& connection, const std::string& tier_table,
                           size_t frames_max, ChunkCoding coding,
                           const FrameVisitor::BrokenFn& broken);

// Stores frames as one group at once. At least one frame, after all that the tier has; the tier has
// none that are not in groups.
Status WriteAsGroup(Connection& connection, const std::string& tier_table,
                    ChunkCoding coding, const std::vector<FramePtr>& frames);

// Deletes groups that end before `cutoff_ms`, the oldest first, until `frames` are gone. Returns
// how many are.
Result<int64_t> DeleteOldestGroups(Connection& connection, const std::string& tier_table,
                                   int64_t cutoff_ms, int64_t frames);

// Deletes what is stored at and after `first_ms`, in either form.
Status EraseFrom(Connection& connection, const std::string& tier_table, int64_t first_ms);

// Walks the groups that have a time in (start_ms, end_ms], ascending. What does not decode is
// reported and read as a gap.
class ChunkReader {
 public:
  static Result<ChunkReader> Open(Connection& connection, const std::string& tier_table,
                                  int64_t start_ms, int64_t end_ms,
                                  FrameVisitor::BrokenFn broken);
  // To the next group; false after the last.
  Result<bool> Next();
  // Of the group, ascending; also those outside of the range.
  const std::vector<int64_t>& times() const { return times_; }
  // The values of slots at times(); empty for a slot that has none. Valid during the call.
  using ColumnFn = std::function<void(size_t slot, const std::vector<double>& values)>;
  // Of each slot asked for, ascending.
  Status Columns(std::span<const size_t> slots, const ColumnFn& take);
  // Of every slot that has a value, ascending.
  Status All(const ColumnFn& take);

 private:
  using TakeFn = std::function<void(size_t slot, std::span<const uint8_t> chunk)>;

  ChunkReader(Statement groups, Statement walk, FrameVisitor::BrokenFn broken)
      : groups_(std::move(groups)), walk_(std::move(walk)), broken_(std::move(broken)) {}
  Status Walk(size_t first_slot, size_t last_slot, const TakeFn& take);
  const std::vector<double>& Decode(std::span<const uint8_t> chunk);

  Statement groups_;
  Statement walk_;
  FrameVisitor::BrokenFn broken_;
  int64_t first_ms_ = 0;
  std::vector<int64_t> times_;
  std::vector<double> values_;
};

// The frames of a tier in (start_ms, end_ms], ascending, whichever form they are stored in.
Status ReadTierFrames(Connection& connection, const std::string& tier_table, int64_t start_ms,
                      int64_t end_ms, const std::function<void(Frame)>& take,
                      const FrameVisitor::BrokenFn& broken);

}  // namespace hearth::storage
