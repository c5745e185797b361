// TokenStream: what one request gets from its engine, handed from the replica's thread to the HTTP
// worker that answers the client.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "base/status.h"
#include "engine/protocol/messages.h"

namespace hearth::models {

// The engine ended before the request did.
struct EngineGone {
  std::string message;
  uint64_t crash_id = 0;    // which crash it was; 0 when the engine was told to end
  bool was_suspect = false;  // the engine worked on this request when it ended
  int retry_after_s = 1;    // when another attempt may find an engine
};

// The request was in the batch of two engines that ended unexpectedly, and is not tried again.
struct Quarantined {
  std::string message;
};

// In order: Accepted, RequestDelta..., FinishedRequest; or Refused alone; or EngineGone or Quarantined
// at any point.
using StreamEvent =
    std::variant<protocol::Accepted, protocol::RequestDelta, protocol::FinishedRequest,
                 protocol::Refused, EngineGone, Quarantined>;

// Is this the last event of its stream?
bool IsFinal(const StreamEvent& event);

class TokenStream {
 public:
  explicit TokenStream(uint64_t request_id) : request_id_(request_id) {}

  uint64_t request_id() const { return request_id_; }

  // Never blocks: a stream holds at most its request's max_tokens events, which max_model_len bounds.
  void Push(StreamEvent event);

  // The next event, or empty after `timeout`. Nothing follows a final event.
  std::optional<StreamEvent> Next(std::chrono::duration<double> timeout);

 private:
  const uint64_t request_id_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<StreamEvent> events_;
};

}  // namespace hearth::models
