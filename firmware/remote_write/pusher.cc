#include "firmware/remote_write/pusher.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "firmware/remote_write/encoding.h"

namespace hearth::remote_write {

namespace {

constexpr double kIdleS = 1;  // between looks at whether something was committed

// No sample is at or before it. A coarse tier's point stands at the end of its step, and what it
// stands for may be in memory still.
int64_t BeforeTheOldest(const storage::HistoryStats& stats) {
  int64_t before_ms = storage::Tail::kForever;
  for (const storage::TierStats& tier : stats.tiers) {
    if (tier.stored.oldest_ms == storage::Tail::kForever) continue;
    before_ms = std::min(before_ms, tier.stored.oldest_ms - 1000 * tier.step_s - 1);
  }
  return before_ms == storage::Tail::kForever ? 0 : before_ms;
}

}  // namespace

Pusher::Pusher(PusherOptions options, storage::History* history, const PushedNames* names,
               const Clock* clock, Send send)
    : options_(std::move(options)),
      history_(history),
      names_(names),
      clock_(clock),
      send_(std::move(send)),
      file_(options_.cursor_path) {
  Begin();
}

Pusher::~Pusher() { SaveCursor(); }

void Pusher::Begin() {
  const auto read = file_.Read();
  if (read.ok() && read->has_value()) {
    cursor_ms_ = saved_ms_ = **read;
  } else {
    if (!read.ok()) LOG(kError) << read.status().message() << "; pushing begins anew";
    const int64_t newest_ms = history_->stats().tiers[0].newest_ms;
    cursor_ms_ = newest_ms > 0 ? newest_ms : clock_->WallMillis();
    SaveCursor();
  }
  counts_.acknowledged_ms = cursor_ms_;
}

// The next stretch after the cursor, which passes over it when there are no samples.
Pusher::Found Pusher::Load() {
  const storage::HistoryStats stats = history_->stats();
  const int64_t committed_ms = stats.tiers[0].committed_ms;
  if (committed_ms == 0) return Found::kNothing;
  if (cursor_ms_ > committed_ms) {
    LOG(kWarning) << "the clock was set back or the history restored: pushing goes on from there";
    Advance(committed_ms);
  }
  if (const int64_t before_ms = BeforeTheOldest(stats); cursor_ms_ < before_ms) Advance(before_ms);
  if (cursor_ms_ >= committed_ms) return Found::kNothing;
  stretch_end_ms_ = std::min(cursor_ms_ + options_.stretch_ms, committed_ms);
  auto stretch = history_->Select({}, {cursor_ms_, stretch_end_ms_, 0, 0});
  if (!stretch.ok()) {
    if (counts_.last_failure.empty()) LOG(kWarning) << "remote write: " << stretch.status().message();
    counts_.last_failure = stretch.status().message();
    return Found::kNothing;
  }
  batcher_ =
      std::make_unique<Batcher>(*std::move(stretch), *names_, cursor_ms_, options_.samples_max);
  if (!batcher_->empty()) return Found::kSamples;
  Advance(stretch_end_ms_);
  return Found::kGap;
}

double Pusher::Step() {
  counts_.newest_ms = history_->stats().tiers[0].newest_ms;
  if (body_.empty()) {
    if (batcher_ == nullptr || batcher_->empty()) {
      const Found found = Load();
      if (found == Found::kNothing) SaveCursor();
      if (found != Found::kSamples) return found == Found::kGap ? 0 : kIdleS;
    }
    batch_ = batcher_->Next();
    body_ = Encode(batch_);
  }
  return Settle(send_(body_));
}

double Pusher::Settle(const Delivery& delivery) {
  const auto samples = static_cast<int64_t>(batch_.samples);
  if (delivery.kind != Delivery::Kind::kAcknowledged) {
    if (counts_.last_failure.empty()) {
      LOG(kWarning) << "the receiver of remote writes: " << delivery.message;
    }
    counts_.last_failure = delivery.message;
    ++counts_.requests_failed;
  }
  if (delivery.kind == Delivery::Kind::kAgain) {
    counts_.samples_retried += samples;
    backoff_s_ = backoff_s_ == 0 ? options_.backoff_first_s
                                 : std::min(2 * backoff_s_, options_.backoff_max_s);
    return std::max(backoff_s_, delivery.retry_after_s);
  }
  if (delivery.kind == Delivery::Kind::kRefused) {
    counts_.samples_dropped[delivery.reason] += samples;
  } else {
    if (!counts_.last_failure.empty()) LOG(kInfo) << "the receiver of remote writes is back";
    counts_.last_failure.clear();
    counts_.samples_sent += samples;
    counts_.newest_sent_ms = std::max(counts_.newest_sent_ms, batch_.until_ms);
  }
  backoff_s_ = 0;
  body_.clear();
  Advance(batcher_->empty() ? std::max(batch_.until_ms, stretch_end_ms_) : batch_.until_ms);
  if (clock_->MonotonicSeconds() - saved_at_s_ >= options_.save_interval_s) SaveCursor();
  return 0;
}

void Pusher::Advance(int64_t until_ms) {
  cursor_ms_ = until_ms;
  counts_.acknowledged_ms = until_ms;
}

// The disk is not asked for each request: what was acknowledged since the last time is, after a
// crash, sent once more, and is the same.
void Pusher::SaveCursor() {
  if (cursor_ms_ == saved_ms_) return;
  saved_at_s_ = clock_->MonotonicSeconds();
  if (const Status saved = file_.Write(cursor_ms_); !saved.ok()) {
    LOG(kWarning) << "remote write: " << saved.message();
    return;
  }
  saved_ms_ = cursor_ms_;
}

}  // namespace hearth::remote_write
