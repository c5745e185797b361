#include "storage/chunk_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "storage/chunk_codec.h"

namespace hearth::storage {

namespace {

constexpr int kSlotBits = 20;  // FrameEncoder admits no more slots
constexpr int64_t kSlotsMax = int64_t{1} << kSlotBits;
// Encoders write a keyframe every 60 frames; beyond this none of the frames would decode.
constexpr size_t kKeyframeWithin = 128;
constexpr size_t kWalkSparseness = 12;  // rows passed over that cost as much as a look-up

int64_t ChunkKey(int64_t first_ms, int64_t slot) { return first_ms << kSlotBits | slot; }

// The frames of a group on their way into columns.
struct Columns {
  std::vector<int64_t> times;
  std::vector<std::vector<double>> values;  // by slot; a short one lacks its end

  void Add(int64_t time_ms, size_t slot_count, const auto& value_at) {
    if (values.size() < slot_count) values.resize(slot_count);
    for (size_t slot = 0; slot < slot_count; ++slot) {
      const double value = value_at(slot);
      if (IsAbsent(value)) continue;
      values[slot].resize(times.size(), kAbsent);
      values[slot].push_back(value);
    }
    times.push_back(time_ms);
  }
};

// Frames before the returned time become a group: it is that of a keyframe, so that those from
// there on still decode. nullopt: there are not enough.
Result<std::optional<int64_t>> FindCut(Connection& connection, const std::string& table,
                                       size_t frames_max) {
  HEARTH_ASSIGN_OR_RETURN(Statement rows,
                          connection.Prepare("SELECT ts, substr(frame, 1, 2) FROM " + table +
                                             " ORDER BY ts LIMIT ?"));
  rows.Bind(1, static_cast<int64_t>(std::max(frames_max, kKeyframeWithin)) + 1);
  std::optional<int64_t> keyframe;
  int64_t newest = 0;
  size_t count = 0;
  for (;; ++count) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    newest = rows.Int(0);
    if (newest < 0 || newest >= kChunkTimeMax) return std::optional<int64_t>();
    const bool cuts = count > 0 && FrameDecoder::IsKeyframe(rows.Blob(1));
    if (cuts && (count <= frames_max || !keyframe)) keyframe = newest;
  }
  if (count <= frames_max) return std::optional<int64_t>();
  return std::optional<int64_t>(keyframe.value_or(newest));
}

Status WriteGroup(Connection& connection, const std::string& table, ChunkCoding coding,
                  Columns columns) {
  const int64_t first_ms = columns.times.front();
  HEARTH_ASSIGN_OR_RETURN(Statement chunk, connection.Prepare(
      "INSERT INTO " + table + "_chunks(key, chunk) VALUES(?, ?)"));
  int64_t bytes = 0;
  for (size_t slot = 0; slot < columns.values.size(); ++slot) {
    std::vector<double>& values = columns.values[slot];
    if (values.empty()) continue;
    values.resize(columns.times.size(), kAbsent);
    const std::vector<uint8_t> encoded = EncodeValues(values, coding);
    chunk.Bind(1, ChunkKey(first_ms, static_cast<int64_t>(slot)));
    chunk.Bind(2, std::span<const uint8_t>(encoded));
    HEARTH_RETURN_IF_ERROR(chunk.Run());
    bytes += static_cast<int64_t>(encoded.size());
  }
  const std::vector<uint8_t> times = EncodeTimes(columns.times);
  HEARTH_ASSIGN_OR_RETURN(
      Statement group, connection.Prepare("INSERT INTO " + table + "_groups(first_ms, last_ms, "
                                          "frames, bytes, times) VALUES(?, ?, ?, ?, ?)"));
  group.Bind(1, first_ms).Bind(2, columns.times.back());
  group.Bind(3, static_cast<int64_t>(columns.times.size()));
  group.Bind(4, bytes + static_cast<int64_t>(times.size()));
  group.Bind(5, std::span<const uint8_t>(times));
  return group.Run();
}

bool Ascend(const std::vector<int64_t>& times) {
  return std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) == times.end();
}

}  // namespace

std::string ChunkTablesSql(const std::string& tier_table) {
  return "CREATE TABLE IF NOT EXISTS " + tier_table +
         "_groups(first_ms INTEGER PRIMARY KEY, last_ms INTEGER NOT NULL, frames INTEGER NOT NULL,"
         " bytes INTEGER NOT NULL, times BLOB NOT NULL);"
         "CREATE TABLE IF NOT EXISTS " +
         tier_table + "_chunks(key INTEGER PRIMARY KEY, chunk BLOB NOT NULL);";
}

Result<bool> CompactOldest(Connection& connection, const std::string& tier_table,
                           size_t frames_max, ChunkCoding coding,
                           const FrameVisitor::BrokenFn& broken) {
  HEARTH_ASSIGN_OR_RETURN(const std::optional<int64_t> cut_ms,
                          FindCut(connection, tier_table, frames_max));
  if (!cut_ms) return false;
  Columns columns;
  const FrameVisitor visitor = {
      [&](int64_t time_ms, const FrameDecoder& frame) {
        columns.Add(time_ms, frame.slot_count(), [&](size_t slot) { return frame.Value(slot); });
      },
      broken};
  HEARTH_RETURN_IF_ERROR(ReadFrames(connection, tier_table, -1, *cut_ms - 1, visitor));
  // First the deletion: its pages serve the chunks, also in a file at its limit.
  HEARTH_ASSIGN_OR_RETURN(Statement erase,
                          connection.Prepare("DELETE FROM " + tier_table + " WHERE ts < ?"));
  erase.Bind(1, *cut_ms);
  HEARTH_RETURN_IF_ERROR(erase.Run());
  if (!columns.times.empty()) {
    HEARTH_RETURN_IF_ERROR(WriteGroup(connection, tier_table, coding, std::move(columns)));
  }
  return true;
}

Status WriteAsGroup(Connection& connection, const std::string& tier_table,
                    ChunkCoding coding, const std::vector<FramePtr>& frames) {
  Columns columns;
  for (const FramePtr& frame : frames) {
    columns.Add(frame->time_ms, frame->values.size(),
                [&](size_t slot) { return frame->values[slot]; });
  }
  return WriteGroup(connection, tier_table, coding, std::move(columns));
}

Result<int64_t> DeleteOldestGroups(Connection& connection, const std::string& tier_table,
                                   int64_t cutoff_ms, int64_t frames) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement oldest, connection.Prepare("SELECT first_ms, last_ms, frames FROM " + tier_table +
                                           "_groups ORDER BY first_ms LIMIT 1"));
  HEARTH_ASSIGN_OR_RETURN(
      Statement chunks, connection.Prepare("DELETE FROM " + tier_table +
                                           "_chunks WHERE key >= ? AND key < ?"));
  HEARTH_ASSIGN_OR_RETURN(
      Statement group, connection.Prepare("DELETE FROM " + tier_table +
                                          "_groups WHERE first_ms = ?"));
  int64_t deleted = 0;
  while (deleted < frames) {
    HEARTH_ASSIGN_OR_RETURN(const bool any, oldest.Step());
    if (!any || oldest.Int(1) >= cutoff_ms) break;
    const int64_t first_ms = oldest.Int(0);
    deleted += oldest.Int(2);
    oldest.Reset();
    chunks.Bind(1, ChunkKey(first_ms, 0)).Bind(2, ChunkKey(first_ms, 0) + kSlotsMax);
    HEARTH_RETURN_IF_ERROR(chunks.Run());
    group.Bind(1, first_ms);
    HEARTH_RETURN_IF_ERROR(group.Run());
  }
  return deleted;
}

Status EraseFrom(Connection& connection, const std::string& tier_table, int64_t first_ms) {
  const std::string from = std::to_string(first_ms);
  HEARTH_RETURN_IF_ERROR(
      connection.Execute("DELETE FROM " + tier_table + " WHERE ts >= " + from));
  if (first_ms < 0 || first_ms >= kChunkTimeMax) return Status::Ok();  // no group has such times
  return connection.Execute(
      "DELETE FROM " + tier_table + "_groups WHERE first_ms >= " + from + "; DELETE FROM " +
      tier_table + "_chunks WHERE key >= " + std::to_string(ChunkKey(first_ms, 0)));
}

Result<ChunkReader> ChunkReader::Open(Connection& connection, const std::string& tier_table,
                                      int64_t start_ms, int64_t end_ms,
                                      FrameVisitor::BrokenFn broken) {
  const std::string groups_table = tier_table + "_groups";
  // Groups do not overlap: at most one that begins before the range reaches into it.
  HEARTH_ASSIGN_OR_RETURN(
      Statement groups,
      connection.Prepare("SELECT first_ms, frames, times FROM " + groups_table +
                         " WHERE first_ms >= coalesce((SELECT max(first_ms) FROM " + groups_table +
                         " WHERE first_ms <= ?1), ?1) AND first_ms <= ?2 AND last_ms > ?1"
                         " ORDER BY first_ms"));
  groups.Bind(1, start_ms).Bind(2, end_ms);
  const std::string chunks = tier_table + "_chunks";
  HEARTH_ASSIGN_OR_RETURN(
      Statement walk, connection.Prepare("SELECT key, chunk FROM " + chunks +
                                         " WHERE key BETWEEN ? AND ? ORDER BY key"));
  return ChunkReader(std::move(groups), std::move(walk), std::move(broken));
}

Result<bool> ChunkReader::Next() {
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, groups_.Step());
    if (!row) return false;
    first_ms_ = groups_.Int(0);
    auto times = DecodeTimes(groups_.Blob(2));
    if (times.ok() && (times->size() != static_cast<size_t>(groups_.Int(1)) || !Ascend(*times))) {
      times = DataLoss("a group whose times do not ascend or are not as many as its frames");
    }
    if (times.ok()) {
      times_ = *std::move(times);
      return true;
    }
    broken_(first_ms_, times.status());
  }
}

const std::vector<double>& ChunkReader::Decode(std::span<const uint8_t> chunk) {
  Status decoded = DecodeValues(chunk, values_);
  if (decoded.ok() && values_.size() != times_.size()) {
    decoded = DataLoss("a chunk with another number of values than its group has frames");
  }
  if (!decoded.ok()) {
    broken_(first_ms_, decoded);
    values_.clear();
  }
  return values_;
}

Status ChunkReader::Walk(size_t first_slot, size_t last_slot, const TakeFn& take) {
  walk_.Reset();
  const int64_t first_key = ChunkKey(first_ms_, 0);
  walk_.Bind(1, first_key + static_cast<int64_t>(first_slot));
  walk_.Bind(2, first_key + static_cast<int64_t>(last_slot));
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, walk_.Step());
    if (!row) return Status::Ok();
    take(static_cast<size_t>(walk_.Int(0) - first_key), walk_.Blob(1));
  }
}

Status ChunkReader::All(const ColumnFn& take) {
  return Walk(0, kSlotsMax - 1, [&](size_t slot, std::span<const uint8_t> chunk) {
    take(slot, Decode(chunk));
  });
}

// One walk over the stretch of slots where most are asked for, else a look-up each.
Status ChunkReader::Columns(std::span<const size_t> slots, const ColumnFn& take) {
  if (slots.empty()) return Status::Ok();
  auto next = slots.begin();
  const auto fill = [&](auto end) {
    values_.clear();
    for (; next != end; ++next) take(*next, values_);
  };
  const auto found = [&](size_t slot, std::span<const uint8_t> chunk) {
    const auto wanted = std::lower_bound(next, slots.end(), slot);
    fill(wanted);
    if (next == slots.end() || *next != slot) return;
    take(slot, Decode(chunk));
    ++next;
  };
  if (slots.back() - slots.front() < kWalkSparseness * slots.size()) {
    HEARTH_RETURN_IF_ERROR(Walk(slots.front(), slots.back(), found));
  } else {
    for (const size_t slot : slots) HEARTH_RETURN_IF_ERROR(Walk(slot, slot, found));
  }
  fill(slots.end());
  return Status::Ok();
}

Status ReadTierFrames(Connection& connection, const std::string& tier_table, int64_t start_ms,
                      int64_t end_ms, const std::function<void(Frame)>& take,
                      const FrameVisitor::BrokenFn& broken) {
  HEARTH_ASSIGN_OR_RETURN(ChunkReader reader,
                          ChunkReader::Open(connection, tier_table, start_ms, end_ms, broken));
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool group, reader.Next());
    if (!group) break;
    std::vector<Frame> frames(reader.times().size());
    for (size_t i = 0; i < frames.size(); ++i) frames[i].time_ms = reader.times()[i];
    HEARTH_RETURN_IF_ERROR(reader.All([&](size_t slot, const std::vector<double>& values) {
      for (size_t i = 0; i < values.size(); ++i) {
        if (IsAbsent(values[i])) continue;
        frames[i].values.resize(slot, kAbsent);  // slots ascend
        frames[i].values.push_back(values[i]);
      }
    }));
    for (Frame& frame : frames) {
      if (frame.time_ms > start_ms && frame.time_ms <= end_ms) take(std::move(frame));
    }
  }
  const FrameVisitor visitor = {
      [&](int64_t, const FrameDecoder& decoder) { take(decoder.ToFrame()); }, broken};
  return ReadFrames(connection, tier_table, start_ms, end_ms, visitor);
}

}  // namespace hearth::storage
