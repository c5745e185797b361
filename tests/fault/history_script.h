// What the fault tests feed to a history: values that follow from the seed, the series and the tick
// alone, so that whatever is read back later can be checked to the bit.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/history.h"
#include "tests/unit/storage/history_fixture.h"

namespace hearth::fault {

// Two directories, removed at the end: the history keeps its ballast there, all else is in CrashVfs.
class ScratchDirectories {
 public:
  ScratchDirectories();
  ~ScratchDirectories();
  const std::string& live() const { return live_; }    // where a test works
  const std::string& check() const { return check_; }  // where images are looked at

 private:
  std::string root_, live_, check_;
};

// Raw and two roll-ups, small groups: a minute of samples exercises all there is.
storage::HistoryOptions SmallTiers();

class HistoryScript {
 public:
  static constexpr int kSeries = 8;
  static constexpr int64_t kStartMs = 1'800'000'000'000;  // on a step of every tier

  HistoryScript(uint64_t seed, storage::HistoryOptions options);

  Status Open();
  void Close();
  // The file that an older release, of schema 1 or 2, would have left; to be opened next.
  Status WriteOldFile(int version, int64_t ticks);
  // One second later, one value of each series that has one now.
  Status Tick();
  Status Flush() { return history_->Flush(); }
  // A look from a reader's connection, as the dashboard's.
  Status Look();
  // The last ten seconds, which are in memory.
  Status LookAtNewest();

  storage::History& history() { return *history_; }
  int64_t ticks() const { return ticks_; }
  static int64_t TimeOf(int64_t tick) { return kStartMs + 1000 * tick; }
  // The total of a counter, the value of a gauge; absent at some ticks.
  bool Has(int series, int64_t tick) const;
  double Value(int series, int64_t tick) const;
  static bool IsCounter(int series) { return series % 2 == 0; }
  static std::string Name(int series);

  // What must be there of a history that is opened elsewhere.
  struct Promise {
    int64_t first_tick = 1;  // older ones may have expired
    int64_t last_tick = 0;   // of the last flush that said ok
    // Also what the oldest stored frame is not older than is allowed to be gone, the rest not.
    bool may_drop_oldest = false;
  };
  // Opens the history of `directory` some hours later and compares. Empty when all is well, or what
  // is not.
  std::string Problem(const std::string& directory, Promise promise, int hours_later = 1);

 private:
  std::string CompareRaw(const storage::History& history, int series, const Promise& promise) const;
  std::string CompareSteps(const storage::History& history, int series, int64_t step_ticks,
                           const Promise& promise) const;
  std::string GoesOn(storage::History& history, storage::TestClock& clock) const;
  uint64_t Hash(uint64_t series, uint64_t tick) const;

  const uint64_t seed_;
  const storage::HistoryOptions options_;
  storage::TestClock clock_;
  std::unique_ptr<storage::History> history_;
  int64_t ticks_ = 0;
  int looks_ = 0;
  std::map<int, double> given_;   // the total of each counter
  std::map<int, double> before_;  // and what of it an earlier process counted
};

}  // namespace hearth::fault
