// Files that are opened beneath a folder and nowhere else, space on the disk, and what is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace hearth::library {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }

  int get() const { return fd_; }

 private:
  void Close();
  int fd_ = -1;
};

Result<Fd> OpenFolder(const std::string& path);

// The kernel resolves `path` and refuses whatever leads out of `folder`: "..", an absolute path, a
// symlink (with kRefused any, with kInside only one that stays in), a mount's magic link.
enum class Links { kRefused, kInside };
Result<Fd> OpenBeneath(int folder, const std::string& path, int flags, Links links = Links::kRefused);

// A new or old file there, to be written; folders between are made.
Result<Fd> MakeBeneath(int folder, const std::string& path);

Status WriteAt(int fd, std::string_view data, uint64_t offset);
Status SyncFile(int fd, const std::string& name);  // data and what it takes to find it again
Status SyncFolder(const std::string& path);

// Renames and syncs both folders: after a power loss it is there or it was not done.
Status MoveDurably(const std::string& from, const std::string& to);

struct Space {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // that this user may take
};
Result<Space> SpaceOf(const std::string& directory);

// What the files of a folder take on the disk (a sparse file less than its length). 0: it is not there.
uint64_t BytesOnDisk(const std::string& directory);

}  // namespace hearth::library
