// A pull, an import or a verification: what it does now, and how others stop it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hearth::library {

enum class JobKind { kPull, kImport, kUpload, kVerify };
enum class JobState {
  kWaiting,    // for its turn
  kResolving,  // asks the hub what there is
  kRunning,
  kVerifying,  // hashes what has come
  kPaused,     // by somebody, or until there is space
  kDone,
  kFailed,
  kCancelled,
};
std::string_view KindName(JobKind kind);
std::string_view StateName(JobState state);
bool HasEnded(JobState state);

struct FileView {
  std::string path;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  std::string state = "waiting";  // "running", "verifying", "done"

  template <typename V>
  void VisitFields(V& v) {
    v("path", path);
    v("bytes_done", bytes_done);
    v("bytes_total", bytes_total);
    v("state", state);
  }
};

// As GET /api/library/jobs shows it.
struct JobView {
  std::string id;
  std::string kind;
  std::string model;
  std::string revision;
  std::string state;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  double rate_bytes_s = 0;  // of the last seconds
  std::optional<double> eta_s;
  std::vector<FileView> files;
  std::string error;  // why it failed, waits or tries again
  std::optional<double> retry_in_s;
  int64_t started_ms = 0;
  std::optional<int64_t> ended_ms;
  uint64_t bytes_fetched = 0;  // that came over the network in this process, repeated ones included

  template <typename V>
  void VisitFields(V& v) {
    v("id", id);
    v("kind", kind);
    v("model", model);
    v("revision", revision);
    v("state", state);
    v("bytes_done", bytes_done);
    v("bytes_total", bytes_total);
    v("rate_bytes_s", rate_bytes_s);
    v("eta_s", eta_s);
    v("files", files);
    v("error", error);
    v("retry_in_s", retry_in_s);
    v("started_ms", started_ms);
    v("ended_ms", ended_ms);
    v("bytes_fetched", bytes_fetched);
  }
};

// What a job is, beside how far it is; kept on the disk until it has ended well.
struct JobRecord {
  std::string id;
  JobKind kind = JobKind::kPull;
  std::string model;
  std::string revision;
  std::string path;    // of an import: where it comes from
  std::string commit;  // of a pull: what the revision turned out to be
  JobState state = JobState::kWaiting;
  std::string error;
  int64_t started_ms = 0;
  int64_t ended_ms = 0;

  template <typename V>
  void VisitFields(V& v) {
    v("id", id);
    v("kind", kind);
    v("model", model);
    v("revision", revision);
    v("path", path);
    v("commit", commit);
    v("state", state);
    v("error", error);
    v("started_ms", started_ms);
    v("ended_ms", ended_ms);
  }
};

// Any thread.
class Job {
 public:
  explicit Job(JobRecord record) : record_(std::move(record)) {}

  JobRecord record() const;
  JobView View() const;
  JobState state() const;

  // Why it shall stop. The strongest stays: who cancels a job that is just being paused cancels it.
  enum class Stop { kNone, kShutdown, kPause, kCancel };
  void Ask(Stop stop);
  Stop asked() const;
  bool stopped() const { return stop_flag_; }
  const std::atomic<bool>& stop_flag() const { return stop_flag_; }
  // False when it was stopped meanwhile.
  bool Sleep(double seconds);

  // It begins or goes on: forgets stops and troubles.
  void Restart();
  void SetState(JobState state, const std::string& error = "");
  void SetCommit(const std::string& commit);

  void SetFiles(std::vector<FileView> files);
  void SetFile(size_t file, const char* state, uint64_t bytes_done);
  void AddBytes(size_t file, uint64_t bytes);
  void CountFetched(uint64_t bytes);
  // It tries again in so many seconds; until then people see why.
  void SetTrouble(const std::string& error, double retry_in_s);
  void ClearTrouble();  // unless the wait is not over

  // Paused until this many bytes more than the reserve are free. 0: not for that.
  void SetNeedsBytes(uint64_t bytes);
  uint64_t needs_bytes() const;

  // Twice a second or so: the rate.
  void Tick(double now_s);

 private:
  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  std::atomic<bool> stop_flag_ = false;
  Stop stop_ = Stop::kNone;
  JobRecord record_;
  std::vector<FileView> files_;
  uint64_t fetched_ = 0;  // since this process began
  uint64_t moved_ = 0;    // every byte that was gained; what is started over does not take from it
  double retry_at_s_ = 0;
  uint64_t needs_bytes_ = 0;
  double rate_ = 0;
  double tick_s_ = 0;
  uint64_t tick_moved_ = 0;
};

}  // namespace hearth::library
