#include "storage/tier.h"

#include <algorithm>

namespace hearth::storage {

namespace {

bool Before(int64_t time_ms, const FramePtr& frame) { return time_ms < frame->time_ms; }

// The time of the newest keyframe at or before `time_ms`, or `time_ms` when there is none near:
// encoders write one every 60 frames.
Result<int64_t> KeyframeBefore(Connection& connection, const std::string& table, int64_t time_ms) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement rows, connection.Prepare("SELECT ts, substr(frame, 1, 2) FROM " + table +
                                         " WHERE ts <= ? ORDER BY ts DESC LIMIT 256"));
  rows.Bind(1, time_ms);
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return time_ms;
    if (FrameDecoder::IsKeyframe(rows.Blob(1))) return rows.Int(0);
  }
}

}  // namespace

std::vector<FramePtr> Tail::Range(int64_t start_ms, int64_t end_ms) const {
  const auto first = std::upper_bound(frames_.begin(), frames_.end(), start_ms, Before);
  const auto last = std::upper_bound(first, frames_.end(), end_ms, Before);
  return {first, last};
}

int64_t Tail::Trim(int64_t window_ms, size_t bytes_max) {
  if (frames_.empty()) return 0;
  const int64_t window_start = frames_.back()->time_ms - window_ms;
  const size_t frame_bytes = frames_.back()->values.size() * sizeof(double) + sizeof(Frame);
  const size_t frames_max = std::max<size_t>(bytes_max / frame_bytes, 1);
  int64_t lost = 0;
  while (frames_.size() > 1) {
    const int64_t oldest = frames_.front()->time_ms;
    const bool committed = oldest <= committed_ms_;
    if (frames_.size() <= frames_max && !(committed && oldest < window_start)) break;
    if (!committed) ++lost;
    frames_.pop_front();
  }
  return lost;
}

Status ReadFrames(Connection& connection, const std::string& table, int64_t start_ms,
                  int64_t end_ms, const FrameVisitor& visitor) {
  HEARTH_ASSIGN_OR_RETURN(const int64_t from, KeyframeBefore(connection, table, start_ms));
  HEARTH_ASSIGN_OR_RETURN(Statement rows,
                          connection.Prepare("SELECT ts, frame FROM " + table +
                                             " WHERE ts >= ? AND ts <= ? ORDER BY ts"));
  rows.Bind(1, from).Bind(2, end_ms);
  FrameDecoder decoder;
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    const int64_t time_ms = rows.Int(0);
    const Status decoded = decoder.Decode(time_ms, rows.Blob(1));
    if (decoded.ok()) {
      if (time_ms > start_ms) visitor.frame(time_ms, decoder);
    } else if (decoded.code() == StatusCode::kDataLoss) {
      visitor.broken(time_ms, decoded);
    }
  }
}

Status WriteFrames(Connection& connection, Tier& tier, const std::vector<FramePtr>& frames) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement insert,
      connection.Prepare("INSERT INTO " + tier.table + "(ts, frame) VALUES(?, ?)"));
  for (const FramePtr& frame : frames) {
    const std::vector<uint8_t> encoded = tier.encoder.Encode(*frame);
    insert.Bind(1, frame->time_ms).Bind(2, std::span<const uint8_t>(encoded));
    HEARTH_RETURN_IF_ERROR(insert.Run());
  }
  return Status::Ok();
}

Result<int64_t> DeleteOldest(Connection& connection, const std::string& table, int64_t cutoff_ms,
                             int64_t rows_max) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement erase, connection.Prepare("DELETE FROM " + table + " WHERE ts IN (SELECT ts FROM " +
                                          table + " WHERE ts < ? ORDER BY ts LIMIT ?)"));
  erase.Bind(1, cutoff_ms).Bind(2, rows_max);
  HEARTH_RETURN_IF_ERROR(erase.Run());
  return connection.changes();
}

Result<StoredFrames> MeasureTier(Connection& connection, const std::string& table) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement sums,
      connection.Prepare("SELECT count(*), coalesce(sum(length(frame)), 0), min(ts), 0 FROM " +
                         table + " UNION ALL SELECT coalesce(sum(frames), 0), "
                         "coalesce(sum(bytes), 0), min(first_ms), 1 FROM " + table + "_groups"));
  StoredFrames stored;
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, sums.Step());
    if (!row) return stored;
    if (sums.Int(0) == 0) continue;
    stored.rows += sums.Int(0);
    stored.bytes += sums.Int(1);
    stored.oldest_ms = std::min(stored.oldest_ms, sums.Int(2));
    if (sums.Int(3) == 0) stored.loose_rows = sums.Int(0);
  }
}

}  // namespace hearth::storage
