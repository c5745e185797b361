#include "storage/clock_epochs.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace hearth::storage {

namespace {

// A wall clock that moves by more than this against the boot clock was set, not disciplined.
constexpr int64_t kClockStepMs = 2000;
// A longer gap is left out of the keys, so that years of a clock that was wrong do not stay there.
constexpr int64_t kKeyGapMaxMs = 3'600'000;
// The year this program first ran: a clock before it is wrong.
constexpr int64_t kFirstPlausibleMs = 1'767'225'600'000;  // 2026-01-01
constexpr int64_t kTimeMax = int64_t{1} << 60;  // no time is beyond, and offsets do not overflow
constexpr int64_t kAnchorSlackMs = 500;  // a disciplined clock's drift is not worth a write

int64_t Millis(double seconds) { return std::llround(seconds * 1000); }

}  // namespace

ClockEpochs::Stamp ClockEpochs::Take(int64_t wall_ms, double boot_s, const std::string& boot_id) {
  Stamp stamp;
  if (running_) {
    const int64_t elapsed_ms = Millis(boot_s - last_boot_s_);
    stamp = Follow(wall_ms, elapsed_ms, wall_ms - last_wall_ms_ - elapsed_ms);
  } else {
    stamp = Begin(wall_ms, boot_s, boot_id);
  }
  running_ = true;
  last_key_ms_ = stamp.key_ms;
  last_wall_ms_ = wall_ms;
  last_boot_s_ = boot_s;
  NoteAnchor(wall_ms, boot_s);
  return stamp;
}

// The first sample of this process.
ClockEpochs::Stamp ClockEpochs::Begin(int64_t wall_ms, double boot_s, const std::string& boot_id) {
  Stamp stamp{wall_ms, 0};
  if (epochs_.empty()) {
    epochs_.emplace_back().first_key_ms = wall_ms;
  } else {
    const int64_t gap_ms = wall_ms - (last_key_ms_ + epochs_.back().offset_ms);
    if (epochs_.back().boot_id == boot_id) {
      const int64_t step_ms = wall_ms - Millis(boot_s) - epochs_.back().anchor_ms;
      return Follow(wall_ms, gap_ms - step_ms, step_ms);
    }
    stamp.key_ms = BeginEpoch(wall_ms, gap_ms);
  }
  epochs_.back().boot_id = boot_id;
  epochs_.back().provisional = !BelievesIn(wall_ms);
  unwritten_ = true;
  return stamp;
}

ClockEpochs::Stamp ClockEpochs::Follow(int64_t wall_ms, int64_t elapsed_ms, int64_t step_ms) {
  if (step_ms > kClockStepMs) return {MoveForward(wall_ms, step_ms), step_ms};
  const int64_t key_ms = KeyNow(wall_ms);
  if (step_ms >= -kClockStepMs && key_ms > last_key_ms_) return {key_ms, 0};
  return {MoveBack(wall_ms, elapsed_ms), step_ms};
}

int64_t ClockEpochs::MoveBack(int64_t wall_ms, int64_t elapsed_ms) {
  const int64_t key_ms = last_key_ms_ + std::max<int64_t>(elapsed_ms, 1);
  Epoch& epoch = epochs_.back();
  epoch.moved_ms += wall_ms - key_ms - epoch.offset_ms;
  epoch.offset_ms = wall_ms - key_ms;
  unwritten_ = true;
  GiveWay();
  return key_ms;
}

// An epoch stays where the clock put it unless the next one of its boot begins before its end.
void ClockEpochs::GiveWay() {
  for (size_t i = epochs_.size() - 1; i-- > 0;) {
    const Epoch& next = epochs_[i + 1];
    Epoch& epoch = epochs_[i];
    if (epoch.boot_id != next.boot_id) return;
    const int64_t unmoved_ms = epoch.offset_ms - epoch.moved_ms;
    const int64_t end_max_ms = next.first_key_ms + next.offset_ms - 1;
    epoch.offset_ms = std::min(unmoved_ms, end_max_ms - epoch.last_key_ms);
    epoch.moved_ms = epoch.offset_ms - unmoved_ms;
  }
}

int64_t ClockEpochs::MoveForward(int64_t wall_ms, int64_t step_ms) {
  Epoch& epoch = epochs_.back();
  // A move back that is undone, or a clock that becomes right, takes the samples with it. One that
  // closed the gap before the epoch stays.
  const int64_t undoable_ms = std::max<int64_t>(-epoch.moved_ms - epoch.gap_ms, 0);
  const int64_t undone_ms = epoch.provisional ? step_ms : std::min(step_ms, undoable_ms);
  epoch.offset_ms += undone_ms;
  epoch.moved_ms = std::min<int64_t>(epoch.moved_ms + undone_ms, 0);
  epoch.provisional = epoch.provisional && !BelievesIn(epoch.first_key_ms + epoch.offset_ms);
  unwritten_ = true;
  GiveWay();
  const int64_t gap_ms = step_ms - undone_ms;
  if (gap_ms > kClockStepMs) {
    const std::string boot_id = epoch.boot_id;
    const int64_t key_ms = BeginEpoch(wall_ms, gap_ms);
    epochs_.back().boot_id = boot_id;
    epochs_.back().gap_ms = gap_ms;
    return key_ms;
  }
  return std::max(KeyNow(wall_ms), last_key_ms_ + 1);
}

int64_t ClockEpochs::BeginEpoch(int64_t wall_ms, int64_t gap_ms) {
  epochs_.back().last_key_ms = last_key_ms_;
  epochs_.back().moved_ms = 0;  // where it is now it belongs
  Epoch epoch;
  epoch.offset_ms = epochs_.back().offset_ms;
  epoch.first_key_ms = wall_ms - epoch.offset_ms;
  if (gap_ms <= 0 || gap_ms > kKeyGapMaxMs) {
    // Into the next step of the coarsest roll-up, so that no step spans the gap.
    const int64_t step_end_ms = (last_key_ms_ + align_ms_ - 1) / align_ms_ * align_ms_;
    epoch.first_key_ms = step_end_ms + (wall_ms - 1) % align_ms_ + 1;
    epoch.offset_ms = wall_ms - epoch.first_key_ms;
  }
  epochs_.push_back(epoch);
  return epoch.first_key_ms;
}

// A clock is believed when it stands after this program's first year began and after every sample
// of the epochs before.
bool ClockEpochs::BelievesIn(int64_t wall_ms) const {
  if (wall_ms < kFirstPlausibleMs) return false;
  for (size_t i = 0; i + 1 < epochs_.size(); ++i) {
    if (LastKey(i) + epochs_[i].offset_ms >= wall_ms) return false;
  }
  return true;
}

void ClockEpochs::NoteAnchor(int64_t wall_ms, double boot_s) {
  Epoch& epoch = epochs_.back();
  const int64_t anchor_ms = wall_ms - Millis(boot_s);
  if (std::abs(anchor_ms - epoch.anchor_ms) <= kAnchorSlackMs) return;
  epoch.anchor_ms = anchor_ms;
  unwritten_ = true;
}

int64_t ClockEpochs::LastKey(size_t epoch) const {
  return epoch + 1 < epochs_.size() ? epochs_[epoch].last_key_ms : last_key_ms_;
}

int64_t ClockEpochs::KeyNow(int64_t wall_ms) const {
  return wall_ms - (epochs_.empty() ? 0 : epochs_.back().offset_ms);
}

int64_t ClockEpochs::WallOf(int64_t key_ms) const {
  if (epochs_.empty()) return key_ms;
  const auto after = std::upper_bound(
      epochs_.begin() + 1, epochs_.end(), key_ms,
      [](int64_t key, const Epoch& epoch) { return key < epoch.first_key_ms; });
  return key_ms + std::prev(after)->offset_ms;
}

std::vector<Stretch> ClockEpochs::Answering(int64_t start_ms, int64_t end_ms) const {
  struct Span {
    int64_t start_ms, end_ms;  // on the wall clock
  };
  std::vector<Span> open = {{start_ms, end_ms}};
  std::vector<Stretch> found;
  for (size_t i = epochs_.size(); i-- > 0 && !open.empty();) {
    const int64_t offset_ms = epochs_[i].offset_ms;
    const Span has = {epochs_[i].first_key_ms - 1 + offset_ms, LastKey(i) + offset_ms};
    std::vector<Span> left;
    for (const Span& span : open) {
      const Span part = {std::max(span.start_ms, has.start_ms), std::min(span.end_ms, has.end_ms)};
      if (part.start_ms >= part.end_ms) {
        left.push_back(span);
        continue;
      }
      found.push_back({part.start_ms - offset_ms, part.end_ms - offset_ms, offset_ms});
      if (span.start_ms < part.start_ms) left.push_back({span.start_ms, part.start_ms});
      if (part.end_ms < span.end_ms) left.push_back({part.end_ms, span.end_ms});
    }
    open = std::move(left);
  }
  std::sort(found.begin(), found.end(), [](const Stretch& a, const Stretch& b) {
    return a.start_key_ms + a.offset_ms < b.start_key_ms + b.offset_ms;
  });
  // Neighbours with one offset are one: between them there is no sample.
  std::vector<Stretch> joined;
  for (const Stretch& stretch : found) {
    if (!joined.empty() && joined.back().offset_ms == stretch.offset_ms) {
      joined.back().end_key_ms = stretch.end_key_ms;
    } else {
      joined.push_back(stretch);
    }
  }
  return joined;
}

std::vector<Stretch> ClockEpochs::Overlapping(int64_t start_ms, int64_t end_ms) const {
  start_ms = std::clamp(start_ms, -kTimeMax, kTimeMax);
  end_ms = std::clamp(end_ms, -kTimeMax, kTimeMax);
  if (epochs_.empty()) return {{start_ms, end_ms, 0}};
  std::vector<Stretch> found;
  for (size_t i = 0; i < epochs_.size(); ++i) {
    const int64_t offset_ms = epochs_[i].offset_ms;
    Stretch stretch = {start_ms - offset_ms, end_ms - offset_ms, offset_ms};
    if (i > 0) stretch.start_key_ms = std::max(stretch.start_key_ms, epochs_[i].first_key_ms - 1);
    if (i + 1 < epochs_.size()) {
      stretch.end_key_ms = std::min(stretch.end_key_ms, epochs_[i + 1].first_key_ms - 1);
    }
    if (stretch.start_key_ms < stretch.end_key_ms) found.push_back(stretch);
  }
  return found;
}

int64_t ClockEpochs::ExpiredBelow(int64_t keep_ms) const {
  const int64_t by_key_ms = last_key_ms_ - keep_ms;
  if (epochs_.empty()) return by_key_ms;
  const int64_t wall_cutoff_ms = last_key_ms_ + epochs_.back().offset_ms - keep_ms;
  int64_t by_wall_ms = std::numeric_limits<int64_t>::min();
  for (size_t i = 0; i < epochs_.size(); ++i) {
    by_wall_ms = std::max(wall_cutoff_ms - epochs_[i].offset_ms, epochs_[i].first_key_ms);
    if (by_wall_ms <= LastKey(i)) break;
  }
  return std::min(by_key_ms, by_wall_ms);
}

Status ClockEpochs::Load(Connection& connection, int64_t oldest_key_ms, int64_t last_key_ms) {
  last_key_ms_ = last_key_ms;
  HEARTH_ASSIGN_OR_RETURN(
      Statement rows,
      connection.Prepare("SELECT first_key_ms, last_key_ms, offset_ms, gap_ms, moved_ms, "
                         "anchor_ms, boot_id, provisional FROM clock_epochs ORDER BY first_key_ms"));
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    epochs_.push_back({rows.Int(0), rows.Int(1), rows.Int(2), rows.Int(3), rows.Int(4),
                       rows.Int(5), std::string(rows.Text(6)), rows.Int(7) != 0});
  }
  // An older release's file: its keys are times of the wall clock.
  if (epochs_.empty() && last_key_ms > 0) epochs_.emplace_back();
  while (epochs_.size() > 1 && epochs_[0].last_key_ms < oldest_key_ms) {
    epochs_.erase(epochs_.begin());
    unwritten_ = true;
  }
  return Status::Ok();
}

std::vector<Epoch> ClockEpochs::TakeUnwritten() {
  if (!std::exchange(unwritten_, false)) return {};
  return epochs_;
}

Status ClockEpochs::Write(Connection& connection, const std::vector<Epoch>& epochs) {
  if (epochs.empty()) return Status::Ok();
  HEARTH_RETURN_IF_ERROR(connection.Execute("DELETE FROM clock_epochs"));
  HEARTH_ASSIGN_OR_RETURN(Statement insert, connection.Prepare(
      "INSERT INTO clock_epochs(first_key_ms, last_key_ms, offset_ms, gap_ms, moved_ms, anchor_ms,"
      " boot_id, provisional) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"));
  for (const Epoch& epoch : epochs) {
    insert.Bind(1, epoch.first_key_ms).Bind(2, epoch.last_key_ms).Bind(3, epoch.offset_ms);
    insert.Bind(4, epoch.gap_ms).Bind(5, epoch.moved_ms).Bind(6, epoch.anchor_ms);
    insert.Bind(7, std::string_view(epoch.boot_id)).Bind(8, int64_t{epoch.provisional});
    HEARTH_RETURN_IF_ERROR(insert.Run());
  }
  return Status::Ok();
}

}  // namespace hearth::storage
