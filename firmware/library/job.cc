#include "firmware/library/job.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/clock.h"

namespace hearth::library {
namespace {

constexpr double kRateTimeConstantS = 5;

}  // namespace

std::string_view KindName(JobKind kind) {
  constexpr std::string_view kNames[] = {"pull", "import", "upload", "verify"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view StateName(JobState state) {
  constexpr std::string_view kNames[] = {"waiting", "resolving", "running", "verifying",
                                         "paused",  "done",      "failed",  "cancelled"};
  return kNames[static_cast<size_t>(state)];
}

bool HasEnded(JobState state) {
  return state == JobState::kDone || state == JobState::kFailed || state == JobState::kCancelled;
}

JobRecord Job::record() const {
  const std::lock_guard lock(mutex_);
  return record_;
}

JobState Job::state() const {
  const std::lock_guard lock(mutex_);
  return record_.state;
}

JobView Job::View() const {
  const std::lock_guard lock(mutex_);
  JobView view;
  view.id = record_.id;
  view.kind = KindName(record_.kind);
  view.model = record_.model;
  view.revision = record_.revision;
  view.state = StateName(record_.state);
  view.files = files_;
  view.error = record_.error;
  view.started_ms = record_.started_ms;
  view.bytes_fetched = fetched_;
  for (const FileView& file : files_) {
    view.bytes_done += file.bytes_done;
    view.bytes_total += file.bytes_total;
  }
  const bool moves = record_.state == JobState::kRunning || record_.state == JobState::kVerifying;
  if (moves) view.rate_bytes_s = rate_;
  if (moves && rate_ > 1) {
    view.eta_s = static_cast<double>(view.bytes_total - std::min(view.bytes_done, view.bytes_total)) / rate_;
  }
  const double wait_s = retry_at_s_ - MonotonicSeconds();
  if (!HasEnded(record_.state) && wait_s > 0) view.retry_in_s = wait_s;
  if (HasEnded(record_.state)) view.ended_ms = record_.ended_ms;
  return view;
}

void Job::Ask(Stop stop) {
  const std::lock_guard lock(mutex_);
  stop_ = std::max(stop_, stop);
  stop_flag_ = stop_ != Stop::kNone;
  stop_changed_.notify_all();
}

Job::Stop Job::asked() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool Job::Sleep(double seconds) {
  std::unique_lock lock(mutex_);
  stop_changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                         [this] { return stop_ != Stop::kNone; });
  return stop_ == Stop::kNone;
}

void Job::Restart() {
  const std::lock_guard lock(mutex_);
  stop_ = Stop::kNone;
  stop_flag_ = false;
  record_.state = JobState::kWaiting;
  record_.error.clear();
  record_.ended_ms = 0;
  retry_at_s_ = 0;
  needs_bytes_ = 0;
}

void Job::SetState(JobState state, const std::string& error) {
  const std::lock_guard lock(mutex_);
  record_.state = state;
  record_.error = error;
  retry_at_s_ = 0;
  if (HasEnded(state)) record_.ended_ms = WallMillis();
}

void Job::SetCommit(const std::string& commit) {
  const std::lock_guard lock(mutex_);
  record_.commit = commit;
}

void Job::SetFiles(std::vector<FileView> files) {
  const std::lock_guard lock(mutex_);
  files_ = std::move(files);
}

void Job::SetFile(size_t file, const char* state, uint64_t bytes_done) {
  const std::lock_guard lock(mutex_);
  files_.at(file).state = state;
  files_.at(file).bytes_done = bytes_done;
}

void Job::AddBytes(size_t file, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  files_.at(file).bytes_done += bytes;
  moved_ += bytes;
}

void Job::CountFetched(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  fetched_ += bytes;
}

void Job::SetTrouble(const std::string& error, double retry_in_s) {
  const std::lock_guard lock(mutex_);
  record_.error = error;
  retry_at_s_ = MonotonicSeconds() + retry_in_s;
}

void Job::ClearTrouble() {
  const std::lock_guard lock(mutex_);
  if (MonotonicSeconds() < retry_at_s_) return;  // another connection still waits
  record_.error.clear();
  retry_at_s_ = 0;
}

void Job::SetNeedsBytes(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  needs_bytes_ = bytes;
}

uint64_t Job::needs_bytes() const {
  const std::lock_guard lock(mutex_);
  return needs_bytes_;
}

void Job::Tick(double now_s) {
  const std::lock_guard lock(mutex_);
  const double elapsed_s = now_s - tick_s_;
  if (tick_s_ > 0 && elapsed_s > 0) {
    const double rate = static_cast<double>(moved_ - tick_moved_) / elapsed_s;
    const double weight = 1 - std::exp(-elapsed_s / kRateTimeConstantS);
    // The first seconds know nothing to smooth with.
    rate_ = rate_ > 0 ? rate_ + weight * (rate - rate_) : rate;
  }
  tick_s_ = now_s;
  tick_moved_ = moved_;
}

}  // namespace hearth::library
