#include "base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hearth {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

Status WriteAndSync(const std::string& path, const std::string& text) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (file.fd() < 0) return ErrnoStatus("cannot make " + path, errno);
  if (::write(file.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return ErrnoStatus("cannot write " + path, errno);
  }
  if (::fsync(file.fd()) != 0) return ErrnoStatus("cannot sync " + path, errno);
  return Status::Ok();
}

Status SyncDirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::absolute(path).parent_path().string();
  const Descriptor opened(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened.fd() < 0 || ::fsync(opened.fd()) != 0) {
    return ErrnoStatus("cannot sync " + directory, errno);
  }
  return Status::Ok();
}

// What is written before it takes the place of the file.
std::string Fresh(const std::string& path) { return path + ".new"; }

}  // namespace

std::optional<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Status WriteDurably(const std::string& path, const std::string& text) {
  const std::string fresh = Fresh(path);
  HEARTH_RETURN_IF_ERROR(WriteAndSync(fresh, text));
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return ErrnoStatus("cannot rename " + fresh, errno);
  }
  return SyncDirectoryOf(path);
}

Status RemoveDurably(const std::string& path) {
  for (const std::string& name : {path, Fresh(path)}) {
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) {
      return ErrnoStatus("cannot remove " + name, errno);
    }
  }
  return SyncDirectoryOf(path);
}

}  // namespace hearth
