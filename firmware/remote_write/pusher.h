// Pushes the history to a receiver, one request at a time. The history itself is the queue: what the
// receiver has not acknowledged is read from it again, from the raw tier and, where that has given
// it up, from coarser ones.
//
// Only what is on this box's disk is sent: a counter that lost its last minute in a crash would go
// back at the receiver, which takes that for a reset. So the receiver is behind by a commit
// interval, and a crash costs both the same.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "firmware/remote_write/batcher.h"
#include "firmware/remote_write/cursor_file.h"
#include "storage/history.h"

namespace hearth::remote_write {

// What a receiver made of one request.
struct Delivery {
  enum class Kind { kAcknowledged, kRefused, kAgain };
  Kind kind = Kind::kAgain;
  std::string reason;        // of a refusal, one of few: "http_400"
  std::string message;       // in words
  double retry_after_s = 0;  // as the receiver asked; 0: it did not
};

struct PusherOptions {
  std::string cursor_path;
  size_t samples_max = 2000;  // of one request
  int64_t stretch_ms = 600'000;  // read from the history at once
  double backoff_first_s = 0.03;  // doubles
  double backoff_max_s = 5;
  double save_interval_s = 2;  // of the cursor while there is more to send
};

class Pusher {
 public:
  using Send = std::function<Delivery(const std::string& body)>;

  struct Counts {
    int64_t samples_sent = 0;
    int64_t samples_retried = 0;
    std::map<std::string, int64_t> samples_dropped;  // by Delivery::reason
    int64_t requests_failed = 0;
    int64_t newest_sent_ms = 0;  // 0: none yet
    int64_t acknowledged_ms = 0;
    int64_t newest_ms = 0;  // of the history
    std::string last_failure;  // in words; empty after a good request
  };

  // Goes on where the cursor says; without one it begins with the next sample. A cursor that cannot
  // be read is told and replaced likewise. `history`, `names` and `clock` outlive this.
  Pusher(PusherOptions options, storage::History* history, const PushedNames* names,
         const Clock* clock, Send send);
  // Saves the cursor.
  ~Pusher();

  // Sends at most one request or passes over a gap. Seconds until the next call makes sense: 0 when there is more.
  double Step();

  const Counts& counts() const { return counts_; }

 private:
  void Begin();
  enum class Found { kNothing, kGap, kSamples };
  Found Load();
  double Settle(const Delivery& delivery);
  void Advance(int64_t until_ms);
  void SaveCursor();

  const PusherOptions options_;
  storage::History* const history_;
  const PushedNames* const names_;
  const Clock* const clock_;
  const Send send_;
  const CursorFile file_;

  int64_t cursor_ms_ = 0;
  int64_t saved_ms_ = 0;
  double saved_at_s_ = 0;
  std::unique_ptr<Batcher> batcher_;
  int64_t stretch_end_ms_ = 0;  // of batcher_
  Batch batch_;                 // the one under way
  std::string body_;            // its bytes; empty: none is under way
  double backoff_s_ = 0;
  Counts counts_;
};

}  // namespace hearth::remote_write
