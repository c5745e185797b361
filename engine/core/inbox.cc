#include "engine/core/inbox.h"

#include <chrono>
#include <string>
#include <utility>

#include "base/limits.h"

namespace hearth::engine {

Status Inbox::Reserve(uint64_t request_id) {
  std::lock_guard lock(mutex_);
  if (live_.size() >= static_cast<size_t>(limits::kRequestsPerEngineMax)) {
    return ResourceExhausted("the engine holds " + std::to_string(live_.size()) +
                             " requests, its limit; try again later");
  }
  if (!live_.insert(request_id).second) {
    return FailedPrecondition("request " + std::to_string(request_id) + " is under way already");
  }
  return Status::Ok();
}

void Inbox::Submit(std::unique_ptr<Sequence> sequence) {
  {
    std::lock_guard lock(mutex_);
    mail_.sequences.push_back(std::move(sequence));
  }
  arrived_.notify_one();
}

void Inbox::RequestEnd(uint64_t request_id, EndCause cause) {
  {
    std::lock_guard lock(mutex_);
    if (!live_.contains(request_id) || !ending_.insert(request_id).second) return;
    mail_.ends.push_back({request_id, cause});
  }
  arrived_.notify_one();
}

int Inbox::num_submitted() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(mail_.sequences.size());
}

void Inbox::Release(uint64_t request_id) {
  std::lock_guard lock(mutex_);
  live_.erase(request_id);
  ending_.erase(request_id);
}

void Inbox::Close() {
  {
    std::lock_guard lock(mutex_);
    mail_.closed = true;
  }
  arrived_.notify_one();
}

bool Inbox::WaitFor(double seconds) {
  std::unique_lock lock(mutex_);
  return arrived_.wait_for(lock, std::chrono::duration<double>(seconds),
                           [&] { return has_mail(); });
}

void Inbox::Take(bool wait, Mail& mail) {
  mail.clear();
  std::unique_lock lock(mutex_);
  if (wait) arrived_.wait(lock, [&] { return has_mail(); });
  std::swap(mail.sequences, mail_.sequences);
  std::swap(mail.ends, mail_.ends);
  mail.closed = mail_.closed;
}

}  // namespace hearth::engine
