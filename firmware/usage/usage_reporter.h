// UsageReporter: records usage data, shows it, and sends it to the receiver that the owner chose, while
// somebody's consent holds.
//
//   <state>/usage_consent.json   what was answered on the usage page
//   <state>/usage_stats.json     {"usage_stats": <the next report>, "success", "error"}; only while
//                                recording is on
//
// The next report is made once and stays as it is until it has been sent: what is shown is what is
// sent, byte for byte. One attempt each interval; nothing is sent again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "firmware/usage/consent.h"
#include "firmware/usage/usage_fields.h"

namespace hearth::usage {

struct UsageReporterOptions {
  std::string state_directory;
  std::string receiver;  // URL; empty: nothing is ever sent
  double interval_s = 3600;
  ConsentSources sources;
};

struct LastSending {
  int64_t sent_ms = 0;  // 0: none in this session
  int status = 0;       // of HTTP; 0: there was no answer
  std::string error;    // empty: the receiver took it
};

struct UsageState {
  Consent consent;
  std::string next_report;  // the bytes that are sent next; empty unless recording is on
  int64_t due_ms = 0;       // when; 0: never
  LastSending last;
  Json example;  // a report as it would be now
};

// Any thread.
class UsageReporter {
 public:
  // What is known of the box now. The reporter fills in what counts its reports.
  using Collect = std::function<UsageFacts()>;
  // POSTs a body; the HTTP status. `stop` turns true when consent is taken back meanwhile.
  using Send = std::function<Result<int>(const std::string& url, const std::string& body,
                                         const std::atomic<bool>* stop)>;

  // `clock` outlives it. A record that an earlier run left is removed where there is no consent.
  UsageReporter(UsageReporterOptions options, Collect collect, Send send, const Clock* clock);
  ~UsageReporter();  // Stop

  void Start();
  void Stop();

  // An answer on the page; on the disk, and in force, when this returns Ok. kFailedPrecondition where
  // something else has decided.
  Status Answer(bool enabled);

  UsageState state();
  const UsageReporterOptions& options() const { return options_; }

  // What the thread does each second.
  void Step();

 private:
  Consent ConsentNow() const;  // with mutex_ held, as all below
  UsageFacts Count(UsageFacts facts) const;
  void Record();
  void WriteRecord() const;
  void Forget();

  const UsageReporterOptions options_;
  const Collect collect_;
  const Send send_;
  const Clock* const clock_;
  const std::string consent_path_;
  const std::string record_path_;
  const std::string session_id_;
  const int64_t session_start_ms_;

  std::mutex mutex_;
  std::optional<bool> answer_;
  std::string report_;
  double recording_since_s_ = 0;  // 0: not recording
  double due_s_ = 0;
  int64_t seq_number_ = 0;
  int64_t total_success_ = 0;
  int64_t total_failed_ = 0;
  LastSending last_;
  std::atomic<bool> break_off_ = false;

  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hearth::usage
