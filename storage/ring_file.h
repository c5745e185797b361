// A bounded log, one SQLite file: the newest batches of records stay, the oldest make way. A batch is
// committed without a sync of its own: with the power the last ones may go, never the file.
//
// Batches are opaque bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/result.h"
#include "storage/small_database.h"

namespace hearth::storage {

// Any thread.
class RingFile {
 public:
  struct Options {
    std::string path;
    std::string what;  // in sentences: "the request log"
    // A batch goes when those after it hold at least this many records, or when all together would
    // hold more bytes than this; the newest batch always stays.
    int64_t records_max = 10'000;
    int64_t bytes_max = int64_t{8} << 20;
  };

  // As SmallDatabase::Open.
  static Result<std::unique_ptr<RingFile>> Open(Options options);

  Status Append(std::span<const uint8_t> batch, int64_t records);

  // The oldest first.
  Status ForEach(const std::function<void(std::span<const uint8_t> batch)>& visit);

  // Why there is a fresh file, empty when there is not.
  const std::string& set_aside() const { return database_->set_aside(); }

 private:
  RingFile(Options options, std::unique_ptr<SmallDatabase> database)
      : options_(std::move(options)), database_(std::move(database)) {}
  Status Write(std::span<const uint8_t> batch, int64_t records);
  Status MakeRoom(Connection& connection);
  Status Visit(const std::function<void(std::span<const uint8_t> batch)>& visit);

  const Options options_;
  std::mutex mutex_;
  const std::unique_ptr<SmallDatabase> database_;  // used under mutex_
};

}  // namespace hearth::storage
