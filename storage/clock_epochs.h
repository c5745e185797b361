// Sample times that survive a wall clock which is wrong, set or lost.
//
// A sample is stored under a key: milliseconds that only ever grow, whatever the wall clock does. An
// epoch is a stretch of keys over which the wall clock ran evenly; it says by how much the wall
// clock is ahead of them. When the clock is set, one epoch's offset moves and no sample does:
//   back      The stamps since the epoch began were too late: it moves back with the clock, and
//             forward again when that is undone. Those before it in the same boot give way.
//   forward   A new epoch begins; the time between is a gap.
//   lost      A boot whose clock stands before the newest sample, or before any box ran this
//             program, begins a provisional epoch, which moves as a whole once the clock is right.
// Where epochs overlap on the wall clock, the newest that has samples there answers.
// Not locked; the history guards it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "storage/sqlite.h"

namespace hearth::storage {

struct Epoch {
  int64_t first_key_ms = 0;
  int64_t last_key_ms = std::numeric_limits<int64_t>::max();  // of its samples, once it has ended
  int64_t offset_ms = 0;  // wall clock - key
  int64_t gap_ms = 0;     // that the clock was set forward by when it began
  int64_t moved_ms = 0;   // by how much it was moved back since; 0 or less
  int64_t anchor_ms = 0;  // wall clock - boot clock, when last looked at
  std::string boot_id;
  bool provisional = false;
};

// Keys in (start_key_ms, end_key_ms]; the wall clock is offset_ms ahead of them.
struct Stretch {
  int64_t start_key_ms = 0;
  int64_t end_key_ms = 0;
  int64_t offset_ms = 0;
};

class ClockEpochs {
 public:
  // Keys after a long gap are chosen so that a multiple of `align_ms` on the wall clock is one of
  // the keys, too: steps of roll-ups begin there.
  explicit ClockEpochs(int64_t align_ms) : align_ms_(align_ms) {}

  struct Stamp {
    int64_t key_ms = 0;    // above all before
    int64_t moved_ms = 0;  // by how much the clock had been set; 0: it was not
  };
  // For the next sample. `boot_s` never stops nor jumps while `boot_id` is the same (CLOCK_BOOTTIME).
  Stamp Take(int64_t wall_ms, double boot_s, const std::string& boot_id);

  // The key of a wall time in the newest epoch, and the wall time of any key.
  int64_t KeyNow(int64_t wall_ms) const;
  int64_t WallOf(int64_t key_ms) const;

  // What answers for (start_ms, end_ms] on the wall clock: disjoint, ascending.
  std::vector<Stretch> Answering(int64_t start_ms, int64_t end_ms) const;
  // Every epoch's part of that, overlaps included, for what belongs to no sample.
  std::vector<Stretch> Overlapping(int64_t start_ms, int64_t end_ms) const;

  // Keys below this are older than `keep_ms` by the keys and by the wall clock. Both must say so: a
  // clock that is set wrong ages nothing.
  int64_t ExpiredBelow(int64_t keep_ms) const;

  // `last_key_ms` is that of the newest stored sample, 0 without one. Epochs that end before
  // `oldest_key_ms` are forgotten.
  Status Load(Connection& connection, int64_t oldest_key_ms, int64_t last_key_ms);
  // What is to be written, once; empty when nothing changed.
  std::vector<Epoch> TakeUnwritten();
  void MarkUnwritten() { unwritten_ = true; }
  static Status Write(Connection& connection, const std::vector<Epoch>& epochs);

 private:
  Stamp Begin(int64_t wall_ms, double boot_s, const std::string& boot_id);
  Stamp Follow(int64_t wall_ms, int64_t elapsed_ms, int64_t step_ms);
  int64_t MoveBack(int64_t wall_ms, int64_t elapsed_ms);
  int64_t MoveForward(int64_t wall_ms, int64_t step_ms);
  int64_t BeginEpoch(int64_t wall_ms, int64_t gap_ms);
  void GiveWay();
  void NoteAnchor(int64_t wall_ms, double boot_s);
  int64_t LastKey(size_t epoch) const;
  bool BelievesIn(int64_t wall_ms) const;

  const int64_t align_ms_;
  std::vector<Epoch> epochs_;  // ascending; empty before the first sample
  int64_t last_key_ms_ = 0;
  int64_t last_wall_ms_ = 0;
  double last_boot_s_ = 0;
  bool running_ = false;  // has stamped since it was made
  bool unwritten_ = false;
};

}  // namespace hearth::storage
