// The file under the history: the one connection that writes, the read-only ones, and what happens
// when the file is broken or the disk full.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/migrations.h"
#include "storage/sqlite.h"

namespace hearth::storage {

// Of every history file, by this release.
const Schema& HistorySchema();

class HistoryFile {
 public:
  // Opens or creates; the directory too. `tables` are the tiers' (created when missing). A broken
  // file is set aside as <path>.corrupt-<utc> (the newest two are kept) and a fresh one begun:
  // set_aside() then says why. kFailedPrecondition, nothing touched: not a history, or a newer
  // release's.
  static Result<std::unique_ptr<HistoryFile>> Open(std::string path, int64_t bytes_max,
                                                   std::vector<std::string> tables);

  // The writing connection; only under the history's commit lock. Opens it again when it was
  // dropped.
  Result<Connection*> Writer();
  // After an I/O error the handle is not trusted again: its pages may say what the disk does not.
  void DropWriter();
  // Sets the file aside and begins a fresh one.
  Status Replace(const std::string& reason);

  // Runs `read` with a read-only connection inside one read transaction. Any thread. `read` must
  // only fetch: nothing that waits for a network.
  Status Read(const std::function<Status(Connection&)>& read) const;

  // Gives the file system the space set aside for this moment, so that rows can be deleted on a
  // full disk. True when there was some.
  bool ReleaseBallast();
  // Takes that space again when the file system has it, or when the database's free pages make up
  // for it. Under the history's commit lock.
  void RestoreBallast();

  const std::string& path() const { return path_; }
  const std::string& set_aside() const { return set_aside_; }
  // Pages in use as a part of the limit, 0..1.
  Result<double> Fullness();
  int64_t bytes_limit() const { return bytes_limit_; }  // of the database
  int64_t BytesOnDisk() const;  // database and write-ahead log

 private:
  HistoryFile(std::string path, int64_t bytes_max, std::vector<std::string> tables)
      : path_(std::move(path)), bytes_max_(bytes_max), tables_(std::move(tables)) {}
  Status OpenWriter(bool check);
  Status OpenOrReplace();
  Status SetAside(const std::string& reason);
  void GiveBackFreePages();

  const std::string path_;
  const int64_t bytes_max_;
  const std::vector<std::string> tables_;
  std::atomic<int64_t> bytes_limit_ = 0;
  std::string set_aside_;
  std::optional<Connection> writer_;
  mutable std::mutex readers_mutex_;
  mutable std::vector<Connection> readers_;
  std::atomic<uint64_t> generation_ = 0;  // of the file; readers of an older one are thrown away
};

}  // namespace hearth::storage
