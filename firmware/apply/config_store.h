// config.db: the revisions of the model configuration, which of them is active, what was applied
// with what outcome, and the audit trail.
//
// Every change is one synced commit together with its row of the trail; what a function returned Ok
// for is on the disk. Revisions are the text that somebody wrote, byte for byte. Ids ascend and are
// never used again; 0 means none.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/small_database.h"

namespace hearth::apply {

struct Revision {
  int64_t id = 0;
  int64_t created_ms = 0;  // Unix
  std::string author;
  std::string note;
  std::string document;
  // Of the last apply of it, a start with a new seed being one; empty when there was none.
  std::string outcome;  // running | confirmed | returned | failed
  std::string reason;   // why it was returned or failed
};

struct ApplyRecord {
  int64_t id = 0;
  int64_t revision = 0;
  int64_t previous = 0;  // active when it began
  std::string author = {};
  int64_t started_ms = 0;
  int64_t ended_ms = 0;      // 0 while it runs
  std::string state = {};    // running | confirmed | returned | failed
  std::string reason = {};   // a class: not_ready, probe_failed, ...; empty when confirmed
  std::string message = {};  // a sentence
  std::string report = {};   // JSON: the steps and the probe, as they stood at the end
};

struct AuditEntry {
  int64_t id = 0;
  int64_t time_ms = 0;
  std::string author = {};
  // saved | seeded | apply_started | step | confirmed | returned | failed | ...
  std::string action = {};
  int64_t revision = 0;
  int64_t apply = 0;
  std::string text = {};
};

// Any thread.
class ConfigStore {
 public:
  static constexpr size_t kDocumentBytesMax = size_t{1} << 20;
  static constexpr int64_t kRevisionsKept = 1000;  // beside the active one; older ones go
  static constexpr int64_t kAppliesKept = 1000;
  static constexpr int64_t kAuditKept = 100'000;

  // Opens or creates. A broken file is set aside and a fresh one begun: set_aside() says why.
  // kFailedPrecondition: a file of another program or a newer release.
  static Result<std::unique_ptr<ConfigStore>> Open(const std::string& path, const Clock* clock);

  // On top of `expected`, the newest revision the caller has seen. kAborted when another is the
  // newest by now, naming both.
  Result<int64_t> Save(const std::string& document, const std::string& author,
                       const std::string& note, int64_t expected);

  // The document of the command line or a file. When it differs from the last seed it becomes a
  // revision and the active one, unless `always` is set, which makes it active in any case. Returns
  // the id of the active revision, 0 when there is none. as: what becomes the revision instead of
  // `document`, at the first start after a release that kept its models in another form.
  Result<int64_t> Seed(const std::string& document, const std::string& source, bool always,
                       const std::optional<std::string>& as = std::nullopt);

  Result<int64_t> active();
  Result<int64_t> newest();
  Result<Revision> Get(int64_t id);  // kNotFound
  // The newest first, those with a smaller id than `before` (0: all), at most `limit`, without
  // their documents.
  Result<std::vector<Revision>> List(int64_t limit, int64_t before);

  // ---- Applies. At most one is running; kAborted says which.

  Result<int64_t> BeginApply(int64_t revision, const std::string& author);
  Status NoteStep(int64_t apply, const std::string& text);
  // The revision of the apply is active from this commit on.
  Status Confirm(int64_t apply, const std::string& author, const std::string& message,
                 const std::string& report);
  // state: returned or failed. The active revision stays what it was.
  Status End(int64_t apply, const std::string& state, const std::string& reason,
             const std::string& message, const std::string& report);
  // At the start: an apply that was running when the last process ended has not been confirmed.
  Result<std::optional<ApplyRecord>> EndInterrupted(
      const std::string& why = "hearthd ended before the revision was confirmed");
  Result<std::optional<ApplyRecord>> LastApply();
  Result<ApplyRecord> GetApply(int64_t id);  // kNotFound

  // ---- The audit trail

  Status Note(const std::string& author, const std::string& action, const std::string& text,
              int64_t revision = 0, int64_t apply = 0);
  Result<std::vector<AuditEntry>> Audit(int64_t limit, int64_t before);

  // ---- Starts of hearthd, for recovery

  struct Start {
    int64_t id = 0;
    int crashes = 0;  // starts of the same revision within `within_s` before it that never served
  };
  Result<Start> BeginStart(int64_t revision, double within_s);
  // It has served, or ended in order: it does not count.
  Status MarkServed(int64_t start);

  const std::string& set_aside() const { return database_->set_aside(); }
  const std::string& path() const { return database_->path(); }

 private:
  ConfigStore(std::unique_ptr<storage::SmallDatabase> database, const Clock* clock)
      : clock_(clock), database_(std::move(database)) {}

  using Work = std::function<Status(storage::Connection&)>;
  Status Commit(const Work& work);  // one transaction, synced
  Status Read(const Work& work);
  Status AddAudit(storage::Connection& connection, const AuditEntry& entry);
  Result<int64_t> Insert(storage::Connection& connection, const std::string& document,
                         const std::string& author, const std::string& note);
  Status SetActive(storage::Connection& connection, int64_t revision);
  Result<std::vector<ApplyRecord>> Applies(const std::string& rest, int64_t parameter);
  Result<std::vector<Revision>> Revisions(const std::string& columns, const std::string& rest,
                                          int64_t parameter, int64_t limit);

  const Clock* const clock_;
  std::mutex mutex_;
  const std::unique_ptr<storage::SmallDatabase> database_;  // used under mutex_
};

}  // namespace hearth::apply
