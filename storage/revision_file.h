// A document kept as its revisions, one SQLite file: the configuration of a box. A revision that
// Save() returned is on the disk, whatever happens next; unlike the history nothing waits for the
// next minute.
//
// Documents are opaque text. Ids ascend and are never used again.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/small_database.h"

namespace hearth::storage {

struct Revision {
  int64_t id = 0;
  int64_t created_ms = 0;  // Unix
  std::string author;
  std::string note;
  std::string document;
};

// Any thread.
class RevisionFile {
 public:
  static constexpr size_t kDocumentBytesMax = size_t{1} << 20;
  static constexpr int64_t kRevisionsKept = 1000;  // older ones go when a new one comes

  // Opens or creates; the directory too. A broken file is set aside (set_aside.h) and a fresh one
  // begun: set_aside() then says why. kFailedPrecondition, nothing touched: a file of another
  // program or of a newer release. `clock` lives as long as the file.
  static Result<std::unique_ptr<RevisionFile>> Open(const std::string& path, const Clock* clock);

  // Writes a revision on top of `expected_id`, the newest one the caller has seen (0: none). Returns
  // its id once the disk has it. kAborted when another is the newest by now: the message names both
  // ids. kInvalidArgument beyond kDocumentBytesMax. After any other error the revision may or may
  // not be there: Latest() tells.
  Result<int64_t> Save(const std::string& document, const std::string& author,
                       const std::string& note, int64_t expected_id);

  // nullopt: there is none yet.
  Result<std::optional<Revision>> Latest();
  Result<Revision> Get(int64_t id);  // kNotFound names the ids there are
  // The newest first, at most `limit`.
  Result<std::vector<Revision>> List(int64_t limit);

  // Why there is a fresh file, empty when there is not.
  const std::string& set_aside() const { return database_->set_aside(); }
  const std::string& path() const { return database_->path(); }

 private:
  RevisionFile(std::unique_ptr<SmallDatabase> database, const Clock* clock)
      : clock_(clock), database_(std::move(database)) {}
  Result<int64_t> Write(const Revision& revision, int64_t expected_id);
  Result<std::vector<Revision>> Query(const std::string& rest, int64_t parameter);

  const Clock* const clock_;
  std::mutex mutex_;
  const std::unique_ptr<SmallDatabase> database_;  // used under mutex_
};

}  // namespace hearth::storage
