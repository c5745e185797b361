// Where `hearth history` finds the history: at a hearthd that answers, or in a state directory.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "firmware/cli/command.h"
#include "storage/history.h"

namespace hearth::cli {

// A history of its own, copied from another, that nobody else sees; gone when this is.
class HistoryCopy {
 public:
  ~HistoryCopy();
  storage::History& history() { return *history_; }

 private:
  friend class HistoryPlace;
  HistoryCopy() = default;

  std::string directory_;
  std::unique_ptr<storage::History> history_;
};

class HistoryPlace {
 public:
  // What the invocation names. Otherwise a hearthd at its usual address, and if none answers there
  // the usual state directory; kNotFound when that has no history either.
  static Result<HistoryPlace> Find(const Invocation& invocation);

  // As GET /api/history.
  Result<Json> Stats() const;
  // Everything it holds, as one file that was not there before.
  Status CopyTo(const std::string& file) const;
  // Opened for reading at leisure; what is there meanwhile is not touched.
  Result<std::unique_ptr<HistoryCopy>> Copy() const;
  // Hands a backup in. What comes of it, in a sentence.
  Result<std::string> Restore(const std::string& file) const;

  bool is_file() const { return !path_.empty(); }
  const std::string& path() const { return path_; }  // of the file, if it is one

 private:
  HistoryPlace() = default;

  std::string url_;
  std::string path_;
};

}  // namespace hearth::cli
