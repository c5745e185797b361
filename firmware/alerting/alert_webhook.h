// Sends alerts to a receiver that speaks Alertmanager's API v2, from a thread of its own.
//
// A receiver that hangs, refuses or answers nonsense costs its own thread only: each attempt has a
// time limit, failed ones are repeated with growing pauses, and what waits is bounded: beyond it
// the oldest batch is given up and counted as failed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"

namespace hearth {

struct AlertWebhookOptions {
  std::string url;  // http(s)://...; /api/v2/alerts is added unless it ends so
  double attempt_timeout_s = 10;
  double pause_first_s = 1;  // doubles with every attempt
  double pause_max_s = 60;
  int attempts_max = 10;
  size_t waiting_max = 256;  // batches
};

class AlertWebhook {
 public:
  // kInvalidArgument when the URL is not http:// or https://.
  static Status CheckUrl(const std::string& url);

  explicit AlertWebhook(AlertWebhookOptions options);
  // Gives up what is not sent; breaks an attempt off.
  ~AlertWebhook();

  // `body`: the JSON array, of so many alerts. Never waits.
  void Send(std::string body, int64_t alerts);

  // Alerts.
  int64_t sent() const { return sent_; }
  int64_t failed() const { return failed_; }

 private:
  struct Batch {
    std::string body;
    int64_t alerts = 0;
  };
  enum class Outcome { kSent, kRefused, kAgain };

  void Run();
  void Deliver(const Batch& batch);
  Outcome Attempt(const Batch& batch, std::string& error);
  bool Pause(double seconds);  // false: stopping
  static int OnProgress(void* self, int64_t, int64_t, int64_t, int64_t);

  const AlertWebhookOptions options_;
  std::atomic<int64_t> sent_ = 0;
  std::atomic<int64_t> failed_ = 0;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Batch> waiting_;
  std::thread thread_;
};

}  // namespace hearth
