// Quarantine: requests that an engine died of, or may have, so that one poison prompt cannot take the
// box down again and again (reliability-security.md G-3).
//
// Suspect is whoever was in the batch, or whose prompt was being read, when an engine ended unasked. Two
// such crashes put a request away, by a fingerprint of its prompt and parameters: it is refused for
// kRefusedForS. One answer to the same request clears it of suspicion.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "engine/protocol/messages.h"

namespace hearth::models {

// Any thread.
class Quarantine {
 public:
  static constexpr int kCrashesMax = 2;
  static constexpr double kRefusedForS = 600;
  static constexpr size_t kSuspectsMax = 4096;  // the oldest is forgotten

  // Of everything but when the request came and which number it got.
  static uint64_t Fingerprint(const std::string& model_name, protocol::Generate generate);

  // The request was suspect of the crash. True when it is put away by that. now_s: monotonic.
  bool OnCrash(uint64_t fingerprint, uint64_t crash_id, const std::string& model_name,
               double now_s);
  void OnAnswered(uint64_t fingerprint);
  // kInvalidArgument for one that was put away.
  Status Check(uint64_t fingerprint, double now_s) const;

  // Nobody is suspect: the two above need not be asked.
  bool empty() const { return num_suspects_.load() == 0; }

  // The models of the requests that were put away since the last call.
  std::vector<std::string> TakeNews();

 private:
  struct Suspect {
    uint64_t last_crash_id = 0;
    int num_crashes = 0;
    double last_time_s = 0;
  };
  void ForgetOldLocked(double now_s);

  std::atomic<size_t> num_suspects_{0};
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, Suspect> suspects_;
  std::vector<std::string> news_;
};

// How a request ends that was put away, in one sentence.
inline constexpr const char* kQuarantinedMessage =
    "the engine ended unexpectedly twice while it worked on this request; it is not tried again. "
    "Change the prompt or its parameters, or ask again in ten minutes";

}  // namespace hearth::models
