#include "firmware/alerting/alert_webhook.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/log.h"

namespace hearth {

namespace {

constexpr std::string_view kPath = "/api/v2/alerts";

// Nobody reads what the receiver says beside its status; a flood of it ends the attempt.
size_t DiscardAnswer(char*, size_t size, size_t count, void* taken) {
  constexpr size_t kAnswerBytesMax = 64 << 10;
  size_t& total = *static_cast<size_t*>(taken);
  total += size * count;
  return total <= kAnswerBytesMax ? size * count : 0;
}

AlertWebhookOptions WithPath(AlertWebhookOptions options) {
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!options.url.ends_with(kPath)) options.url += kPath;
  return options;
}

}  // namespace

Status AlertWebhook::CheckUrl(const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return Status::Ok();
  return InvalidArgument("the webhook '" + url + "' is no URL; write http://host:9093");
}

AlertWebhook::AlertWebhook(AlertWebhookOptions options) : options_(WithPath(std::move(options))) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  thread_ = std::thread([this] { Run(); });
}

AlertWebhook::~AlertWebhook() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  curl_global_cleanup();
}

void AlertWebhook::Send(std::string body, int64_t alerts) {
  std::lock_guard lock(mutex_);
  if (waiting_.size() == options_.waiting_max) {
    failed_ += waiting_.front().alerts;
    waiting_.pop_front();
  }
  waiting_.push_back({std::move(body), alerts});
  wake_.notify_all();
}

void AlertWebhook::Run() {
  while (true) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      batch = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Deliver(batch);
  }
}

void AlertWebhook::Deliver(const Batch& batch) {
  double pause_s = options_.pause_first_s;
  std::string error;
  for (int attempt = 1;; ++attempt) {
    const Outcome outcome = Attempt(batch, error);
    if (outcome == Outcome::kSent) {
      sent_ += batch.alerts;
      return;
    }
    if (attempt == 1 && !stopping_) {
      LOG(kWarning) << "alerts did not reach " << options_.url << ": " << error;
    }
    if (outcome == Outcome::kRefused || attempt == options_.attempts_max || !Pause(pause_s)) break;
    pause_s = std::min(2 * pause_s, options_.pause_max_s);
  }
  failed_ += batch.alerts;
}

bool AlertWebhook::Pause(double seconds) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::duration<double>(seconds),
                         [this] { return stopping_.load(); });
}

int AlertWebhook::OnProgress(void* self, int64_t, int64_t, int64_t, int64_t) {
  return static_cast<AlertWebhook*>(self)->stopping_ ? 1 : 0;
}

AlertWebhook::Outcome AlertWebhook::Attempt(const Batch& batch, std::string& error) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  if (!curl || !headers) {
    error = "no memory for a request";
    return Outcome::kAgain;
  }
  size_t taken = 0;
  const auto set = [&](CURLoption option, auto value) {
    curl_easy_setopt(curl.get(), option, value);
  };
  set(CURLOPT_URL, options_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.attempt_timeout_s * 1000));
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(batch.body.size()));
  set(CURLOPT_POSTFIELDS, batch.body.data());
  set(CURLOPT_WRITEFUNCTION, &DiscardAnswer);
  set(CURLOPT_WRITEDATA, &taken);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
  set(CURLOPT_XFERINFODATA, this);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    error = curl_easy_strerror(code);
    return Outcome::kAgain;
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status / 100 == 2) return Outcome::kSent;
  error = "the receiver answered " + std::to_string(status);
  return status >= 500 || status == 429 ? Outcome::kAgain : Outcome::kRefused;
}

}  // namespace hearth
