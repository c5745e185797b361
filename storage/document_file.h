// Many documents, each under a key of its own, one SQLite file. A change that Put() or Remove()
// returned from is on the disk, whatever happens next.
//
// Documents are opaque text. A key's versions count from 1 and start anew after a removal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/small_database.h"

namespace hearth::storage {

struct Document {
  std::string key;
  int64_t version = 0;
  int64_t updated_ms = 0;  // Unix
  std::string text;
};

// Any thread.
class DocumentFile {
 public:
  struct Options {
    std::string path;
    std::string what;  // one document in sentences: "dashboard"
    size_t bytes_max = size_t{1} << 20;  // of one document
    int64_t count_max = 1000;
  };

  // As SmallDatabase::Open. `clock` lives as long as the file.
  static Result<std::unique_ptr<DocumentFile>> Open(Options options, const Clock* clock);

  // Writes upon version `expected`: 0 when there must be none, absent when it does not matter.
  // Returns the document's new version and time, without its text. kAborted when the version is
  // another: the message names both. kInvalidArgument beyond bytes_max, kFailedPrecondition
  // beyond count_max. After any other error the change may or may not be there: Get() tells.
  Result<Document> Put(const std::string& key, const std::string& text,
                       std::optional<int64_t> expected);

  // kNotFound when there is none.
  Status Remove(const std::string& key);
  Result<Document> Get(const std::string& key);

  // Keys ascend. Texts are handed over one by one, so that not all are in memory.
  Status ForEach(const std::function<void(Document)>& visit);

  // Why there is a fresh file, empty when there is not.
  const std::string& set_aside() const { return database_->set_aside(); }

 private:
  DocumentFile(Options options, std::unique_ptr<SmallDatabase> database, const Clock* clock)
      : options_(std::move(options)), clock_(clock), database_(std::move(database)) {}
  Result<Document> Write(const std::string& key, const std::string& text,
                         std::optional<int64_t> expected);
  Status Delete(const std::string& key);
  Result<std::optional<Document>> Find(Connection& connection, const std::string& key);
  Result<Document> Read(const std::string& key);
  Status Visit(const std::function<void(Document)>& visit);
  Status NoneOf(const std::string& key) const;

  const Options options_;
  const Clock* const clock_;
  std::mutex mutex_;
  const std::unique_ptr<SmallDatabase> database_;  // used under mutex_
};

}  // namespace hearth::storage
