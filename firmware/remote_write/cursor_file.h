// How far the receiver is, over restarts and power cuts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace hearth::remote_write {

class CursorFile {
 public:
  explicit CursorFile(std::string path) : path_(std::move(path)) {}

  // The time of the newest acknowledged sample. nullopt: nothing was ever written. kDataLoss for a
  // file that is not one of these.
  Result<std::optional<int64_t>> Read() const;

  // All or nothing: a crash at any moment leaves the time before or this one.
  Status Write(int64_t acknowledged_ms) const;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace hearth::remote_write
