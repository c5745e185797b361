// The last inference requests, one row each: when, of which model, how it ended and where its time
// went. Never a word of a prompt or an answer.
//
// Rows are looked up in memory. A thread of the log's own writes them to a storage::RingFile, a batch
// at a time, so that no request waits for the disk; a kill loses what the history loses.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "firmware/http/http.h"
#include "firmware/metrics/registry.h"
#include "storage/ring_file.h"

namespace hearth::api {

// Times are milliseconds. What was not reached is absent: a refused request has no prefill.
struct LoggedRequest {
  int64_t id = 0;           // ascends, also over restarts
  std::string request_id;   // X-Request-Id of the answer
  int64_t time_ms = 0;      // Unix, of the arrival
  std::string model_name;   // as resolved, or what the client asked for
  std::string endpoint;     // "/v1/chat/completions"
  bool stream = false;
  int status = 500;         // as the client saw it; 499: it left
  std::string outcome = "lost";  // of metrics::kAnswerReasons or kFailureReasons
  std::optional<int> prompt_tokens;
  std::optional<int> cached_tokens;  // of the prompt, in the prefix cache
  std::optional<int> generation_tokens;
  std::optional<int> preemptions;
  std::optional<double> accept_ms;   // arrival to the engine's queue: HTTP, template, tokenizer
  std::optional<double> queue_ms;    // there until first scheduled
  std::optional<double> prefill_ms;  // until the first token
  std::optional<double> decode_ms;   // until the last token
  std::optional<double> ttft_ms;     // arrival to the first token, as the answering thread saw it
  double e2e_ms = 0;                 // arrival to the last byte of the answer
  std::string error;                 // a sentence, or ""

  template <typename V>
  void VisitFields(V& v) {
    v("id", id);
    v("request_id", request_id);
    v("time_ms", time_ms);
    v("model_name", model_name);
    v("endpoint", endpoint);
    v("stream", stream);
    v("status", status);
    v("outcome", outcome);
    v("prompt_tokens", prompt_tokens);
    v("cached_tokens", cached_tokens);
    v("generation_tokens", generation_tokens);
    v("preemptions", preemptions);
    v("accept_ms", accept_ms);
    v("queue_ms", queue_ms);
    v("prefill_ms", prefill_ms);
    v("decode_ms", decode_ms);
    v("ttft_ms", ttft_ms);
    v("e2e_ms", e2e_ms);
    v("error", error);
  }
};

struct RequestFilter {
  std::string model_name = {};  // empty: any, here and below
  std::string endpoint = {};
  std::string outcome = {};     // one of the reasons; "answered" or "failed" for all of a kind
  std::string request_id = {};  // the whole of it
  int status_min = 0;
  int status_max = 999;
  int64_t since_ms = 0;    // arrived then or later
  std::optional<int64_t> before = {};  // ids below this one
  double e2e_ms_min = 0;
  bool slowest_first = false;  // else the newest
  size_t limit = 100;

  bool Takes(const LoggedRequest& row) const;
};

struct FoundRequests {
  std::vector<LoggedRequest> requests;  // at most the filter's limit
  size_t matched = 0;                   // those that the filter takes
  size_t kept = 0;                      // rows in the log
  std::optional<int64_t> oldest_ms;     // of these
  std::set<std::string> model_names;    // of these
};

// Any thread.
class RequestLog {
 public:
  struct Options {
    std::string path;
    double commit_interval_s = 60;
    size_t kept = 10'000;  // rows; what one takes is bounded, about half a KiB in memory
  };

  // What is wrong with the file does not stop the start: rows are then kept until the end of the
  // process. `registry` outlives the log.
  static std::unique_ptr<RequestLog> Open(const Options& options, metrics::Registry* registry);
  ~RequestLog();  // writes what is not written

  // Gives the row its id. Never waits for the disk.
  void Add(LoggedRequest row);
  FoundRequests Find(const RequestFilter& filter) const;

  // Sentences about what was found broken at the start.
  const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  RequestLog(const Options& options, metrics::Registry* registry);
  void Load();
  void Run();
  // The rows that wait, to the disk. `lock` is given up meanwhile.
  void WritePending(std::unique_lock<std::mutex>& lock);

  const Options options_;
  metrics::Registry* const registry_;
  metrics::Metric* const dropped_;
  std::vector<std::string> troubles_;
  std::unique_ptr<storage::RingFile> file_;  // null: it could not be opened

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<LoggedRequest> rows_;  // ids ascend
  size_t pending_ = 0;              // the last ones, which the file does not have
  int64_t next_id_ = 1;
  bool stopping_ = false;
  std::thread writer_;
};

// One request on its way into the log: whoever answers it fills in what is known, and leaving the
// scope, in whatever way, enters it.
class RequestNote {
 public:
  // `log` outlives the note.
  RequestNote(RequestLog* log, const http::Request& request);
  RequestNote(const RequestNote&) = delete;
  RequestNote& operator=(const RequestNote&) = delete;
  ~RequestNote();

  LoggedRequest* operator->() { return &row_; }

  // How it ended. `error` is a sentence of ours, free of what the client wrote.
  void End(std::string_view outcome, int http_status, std::string error = "");
  // A refusal of what the client wrote at `param` ("": the body), whose message may quote it: what
  // it quotes is left out, and for prompts the whole message.
  void Refuse(std::string_view outcome, int http_status, const std::string& param,
              const std::string& message);

 private:
  RequestLog* const log_;
  const double arrival_time_s_;
  LoggedRequest row_;
};

}  // namespace hearth::api
