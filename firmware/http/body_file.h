// A body too large for memory, on its way into a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::http {

// The file is removed with this, unless somebody has renamed it meanwhile.
class BodyFile {
 public:
  // In `directory`, readable by this user alone. kResourceExhausted when `bytes_expected` would not
  // leave some space free.
  static Result<std::unique_ptr<BodyFile>> Make(const std::string& directory,
                                                uint64_t bytes_expected);
  // What a crash left behind of such files.
  static void RemoveLeftOver(const std::string& directory);

  ~BodyFile();
  BodyFile(const BodyFile&) = delete;
  BodyFile& operator=(const BodyFile&) = delete;

  Status Write(std::string_view data);
  const std::string& path() const { return path_; }

 private:
  BodyFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  const std::string path_;
  const int fd_;
};

}  // namespace hearth::http
