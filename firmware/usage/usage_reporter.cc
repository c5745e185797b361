#include "firmware/usage/usage_reporter.h"

#include <chrono>
#include <cstdio>
#include <random>

#include "base/durable_file.h"
#include "base/log.h"

namespace hearth::usage {
namespace {

// So long the first report waits for models that still load.
constexpr double kSettleS = 60;
constexpr const char* kEnabled = "enabled";

// 128 random bits, of nothing that the box is.
std::string RandomId() {
  std::random_device random;
  std::string text;
  char part[9];
  for (int i = 0; i < 4; ++i) {
    std::snprintf(part, sizeof part, "%08x", static_cast<unsigned>(random()));
    text += part;
  }
  return text;
}

// A file that cannot be understood is no answer.
std::optional<bool> ReadAnswer(const std::string& path) {
  const auto text = ReadSmallFile(path);
  if (!text) return std::nullopt;
  const auto json = ParseJson(*text);
  if (json.ok() && json->is_object() && json->contains(kEnabled) && (*json)[kEnabled].is_boolean()) {
    return (*json)[kEnabled].get<bool>();
  }
  LOG(kWarning) << path << " does not say what was answered; usage data is not recorded";
  return std::nullopt;
}

}  // namespace

UsageReporter::UsageReporter(UsageReporterOptions options, Collect collect, Send send,
                             const Clock* clock)
    : options_(std::move(options)),
      collect_(std::move(collect)),
      send_(std::move(send)),
      clock_(clock),
      consent_path_(options_.state_directory + "/usage_consent.json"),
      record_path_(options_.state_directory + "/usage_stats.json"),
      session_id_(RandomId()),
      session_start_ms_(clock->WallMillis()),
      answer_(ReadAnswer(consent_path_)) {
  if (ConsentNow().enabled != true) Forget();
}

UsageReporter::~UsageReporter() { Stop(); }

void UsageReporter::Start() {
  thread_ = std::thread([this] {
    while (true) {
      Step();
      std::unique_lock lock(mutex_);
      stopped_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; });
      if (stopping_) return;
    }
  });
}

void UsageReporter::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    break_off_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Consent UsageReporter::ConsentNow() const { return Decide(options_.sources, answer_); }

Status UsageReporter::Answer(bool enabled) {
  std::lock_guard lock(mutex_);
  const Consent before = ConsentNow();
  if (!before.can_change && before.enabled != enabled) {
    return FailedPrecondition("usage data was switched off by " + before.decided_by +
                              "; change it there");
  }
  // A no holds from here on, whether the disk takes it or not.
  if (!enabled) {
    answer_ = false;
    Forget();
  }
  HEARTH_RETURN_IF_ERROR(WriteDurably(
      consent_path_,
      DumpJson(Json{{kEnabled, enabled}, {"answered_ms", clock_->WallMillis()}}) + "\n"));
  answer_ = enabled;
  LOG(kInfo) << "usage data is switched " << (enabled ? "on" : "off") << " on the usage page";
  return Status::Ok();
}

void UsageReporter::Forget() {
  report_.clear();
  recording_since_s_ = due_s_ = 0;
  break_off_ = true;
  const Status removed = RemoveDurably(record_path_);
  if (!removed.ok()) LOG(kError) << "usage data is off, but " << removed.message();
}

UsageFacts UsageReporter::Count(UsageFacts facts) const {
  facts.session_id = session_id_;
  facts.session_start_ms = session_start_ms_;
  facts.collect_ms = clock_->WallMillis();
  facts.seq_number = seq_number_;
  facts.total_success = total_success_;
  facts.total_failed = total_failed_;
  return facts;
}

void UsageReporter::Record() {
  UsageFacts facts = collect_();
  const double waited_s = clock_->MonotonicSeconds() - recording_since_s_;
  if (report_.empty() && !facts.settled && waited_s < kSettleS) return;
  report_ = ReportText(MakeReport(Count(std::move(facts))));
  WriteRecord();
}

void UsageReporter::WriteRecord() const {
  const bool was_sent = last_.sent_ms != 0;
  const Json success = was_sent ? Json(last_.error.empty()) : Json();
  const Json error = was_sent && !last_.error.empty() ? Json(last_.error) : Json();
  // Put together by hand, so that the report stands in it byte for byte.
  const Status written =
      WriteDurably(record_path_, "{\"usage_stats\":" + report_ + ",\n\"success\":" +
                                     DumpJson(success) + ",\"error\":" + DumpJson(error) + "}\n");
  if (!written.ok()) LOG(kWarning) << "usage data is not recorded: " << written.message();
}

void UsageReporter::Step() {
  std::string body;
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || ConsentNow().enabled != true) return;
    const double now_s = clock_->MonotonicSeconds();
    if (recording_since_s_ == 0) {
      recording_since_s_ = now_s;
      due_s_ = now_s + options_.interval_s;
      break_off_ = false;
    }
    if (report_.empty()) Record();
    if (report_.empty() || now_s < due_s_) return;
    due_s_ = now_s + options_.interval_s;
    if (options_.receiver.empty()) {
      ++seq_number_;
      Record();
      return;
    }
    body = report_;
  }
  const auto answered = send_(options_.receiver, body, &break_off_);
  std::lock_guard lock(mutex_);
  last_ = {clock_->WallMillis(), answered.ok() ? *answered : 0, ""};
  if (!answered.ok()) {
    last_.error = answered.status().message();
  } else if (*answered < 200 || *answered > 299) {
    last_.error = "the receiver answered with HTTP status " + std::to_string(*answered);
  }
  ++(last_.error.empty() ? total_success_ : total_failed_);
  ++seq_number_;
  if (!last_.error.empty()) LOG(kWarning) << "usage data could not be sent: " << last_.error;
  if (!report_.empty()) Record();  // else it was switched off meanwhile
}

UsageState UsageReporter::state() {
  std::lock_guard lock(mutex_);
  UsageState state;
  state.consent = ConsentNow();
  state.next_report = report_;
  if (!report_.empty() && !options_.receiver.empty()) {
    state.due_ms = clock_->WallMillis() +
                   static_cast<int64_t>((due_s_ - clock_->MonotonicSeconds()) * 1000);
  }
  state.last = last_;
  state.example = MakeReport(Count(collect_()));
  return state;
}

}  // namespace hearth::usage
