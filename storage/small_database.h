// What every small database of a box goes through: set aside when broken, refused when it belongs to
// another program or a newer release, opened again after an I/O error. The history, which has bounds
// and a ballast of its own, does not use this.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "storage/migrations.h"
#include "storage/sqlite.h"

namespace hearth::storage {

// Used by one thread at a time. Holds the only connection to its file.
class SmallDatabase {
 public:
  enum class Synchronous {
    kFull,    // a commit is on the disk before it is acknowledged
    kNormal,  // the last commits may be lost with the power, never the file
  };
  struct Options {
    std::string path;
    std::string what;  // in sentences: "the configuration"
    Schema schema;     // what it points to lives for ever
    Synchronous synchronous = Synchronous::kFull;
  };

  // Opens or creates; the directory too. A broken file is set aside (set_aside.h) and a fresh one
  // begun: set_aside() then says why. kFailedPrecondition, nothing touched: a file of another
  // program or of a newer release.
  static Result<std::unique_ptr<SmallDatabase>> Open(Options options);

  // The connection; opened again when the last call had to drop it.
  Result<Connection*> Ready();
  // After an I/O error the handle is not trusted again: its pages may say what the disk does not.
  // Nothing is done for kOk and for what callers refuse themselves: kAborted, kFailedPrecondition,
  // kInvalidArgument, kNotFound.
  void DropAfter(const Status& failure);

  // Why there is a fresh file, empty when there is not.
  const std::string& set_aside() const { return set_aside_; }
  const std::string& path() const { return options_.path; }

 private:
  explicit SmallDatabase(Options options) : options_(std::move(options)) {}
  Status OpenConnection(bool check);

  const Options options_;
  std::string set_aside_;
  std::optional<Connection> connection_;
};

}  // namespace hearth::storage
