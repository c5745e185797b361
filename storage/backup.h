// Copies of a history file: taken while it is written to, checked, and put in its place.
//
// A copy that shall take the history's place waits beside it as <history>.restore and is taken at
// the next start, before anything has opened the file; what stood there is kept as
// <history>.before-restore-<utc>. A crash at any moment leaves one of the two in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"

namespace hearth::storage {

// A file that is gone when this is, whatever happened to it meanwhile.
class TemporaryFile {
 public:
  // Empty, in `directory`, readable by this user alone.
  static Result<TemporaryFile> In(const std::string& directory);
  TemporaryFile(TemporaryFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Removes what a crash left behind of such files.
void RemoveTemporaryFiles(const std::string& directory);

// kResourceExhausted unless `directory` has room for `bytes` and some to spare.
Status CheckRoomFor(const std::string& directory, int64_t bytes);

// Writes what `history` holds at this moment into the new or empty file `target`, compact and
// without a write-ahead log. Reads only; whoever writes to the history goes on. kNotFound: there is
// no such file. kFailedPrecondition: another program's, a newer release's, or `target` has
// something in it.
Status CopyHistory(const std::string& history, const std::string& target);

// Whether `path` is a whole history that this release can open: SQLite's integrity check, identity,
// schema and at most `bytes_max` bytes. The file is not changed. kFailedPrecondition, kDataLoss or
// kResourceExhausted, each with its reason.
Status CheckHistoryCopy(const std::string& path, int64_t bytes_max);

// Checks `copy` and moves it to where the next start of `history` takes it; both are on one file
// system. An earlier one that was not yet taken is replaced.
Status StageRestore(const std::string& copy, const std::string& history, int64_t bytes_max);

// Before the history is opened: takes what StageRestore has put there. nullopt: nothing. Otherwise
// what happened, for the history's events: taken, or refused (then it is kept aside and the old
// history stays). An error leaves the old history or the new one in place.
Result<std::optional<std::string>> TakeRestore(const std::string& history, int64_t bytes_max);

}  // namespace hearth::storage
