// What other threads want of the loop: new sequences, and the end of old ones.
//
// A request is live from Reserve until the loop's Release, and only live requests take up room
// here, so the inbox is bounded without ever blocking a sender (a loop waiting for the outbox and
// an outbox waiting for the loop would stand still for ever).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "base/status.h"
#include "engine/core/sequence.h"

namespace hearth::engine {

// Why a sequence ends that could have gone on.
enum class EndCause {
  kAbort,       // the client is gone
  kStopString,  // its text contains a stop string
};

class Inbox {
 public:
  struct End {
    uint64_t request_id;
    EndCause cause;
  };
  struct Mail {
    std::vector<std::unique_ptr<Sequence>> sequences;
    std::vector<End> ends;
    bool closed = false;
    void clear() {
      sequences.clear();
      ends.clear();
    }
  };

  // Makes the id live. kResourceExhausted at limits::kRequestsPerEngineMax, kFailedPrecondition for
  // an id that is live. What is reserved is either submitted or released.
  Status Reserve(uint64_t request_id);
  void Submit(std::unique_ptr<Sequence> sequence);

  // Ends a live request at the next step; ignored for any other id.
  void RequestEnd(uint64_t request_id, EndCause cause);

  // Sequences that were submitted and the loop has not taken yet.
  int num_submitted() const;

  // The id may be used again.
  void Release(uint64_t request_id);

  // The loop shall abort all and return.
  void Close();

  // Sleeps until there is something to take: true, or for `seconds`: false.
  bool WaitFor(double seconds);

  // For the loop: replaces `mail` by all that came since the last call; with `wait` sleeps until
  // there is something.
  void Take(bool wait, Mail& mail);

 private:
  bool has_mail() const {
    return mail_.closed || !mail_.sequences.empty() || !mail_.ends.empty();
  }

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  Mail mail_;
  std::unordered_set<uint64_t> live_;
  std::unordered_set<uint64_t> ending_;  // subset of live_: one End each
};

}  // namespace hearth::engine
