#include "firmware/models/token_stream.h"

#include <utility>

namespace hearth::models {

bool IsFinal(const StreamEvent& event) {
  return std::holds_alternative<protocol::FinishedRequest>(event) ||
         std::holds_alternative<protocol::Refused>(event) ||
         std::holds_alternative<EngineGone>(event) ||
         std::holds_alternative<Quarantined>(event);
}

void TokenStream::Push(StreamEvent event) {
  {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  ready_.notify_one();
}

std::optional<StreamEvent> TokenStream::Next(std::chrono::duration<double> timeout) {
  std::unique_lock lock(mutex_);
  ready_.wait_for(lock, timeout, [this] { return !events_.empty(); });
  if (events_.empty()) return std::nullopt;
  StreamEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace hearth::models
