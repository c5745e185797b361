#include "firmware/remote_write/cursor_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"

namespace hearth::remote_write {

namespace {

namespace fs = std::filesystem;

constexpr const char* kKey = "acknowledged_ms";

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

}  // namespace

Result<std::optional<int64_t>> CursorFile::Read() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return std::optional<int64_t>();
  std::ostringstream text;
  text << file.rdbuf();
  const auto json = ParseJson(text.str());
  if (!json.ok() || !json->is_object() || !json->contains(kKey) ||
      !(*json)[kKey].is_number_integer()) {
    return DataLoss(path_ + " does not say how far the receiver of remote writes is");
  }
  return std::optional((*json)[kKey].get<int64_t>());
}

Status CursorFile::Write(int64_t acknowledged_ms) const {
  const std::string fresh = path_ + ".new";
  HEARTH_RETURN_IF_ERROR(WriteAndSync(fresh, DumpJson(Json{{kKey, acknowledged_ms}}) + "\n"));
  if (::rename(fresh.c_str(), path_.c_str()) != 0) {
    return ErrnoStatus("cannot rename " + fresh, errno);
  }
  const std::string directory = fs::absolute(path_).parent_path().string();
  const Descriptor opened(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened.fd() < 0 || ::fsync(opened.fd()) != 0) {
    return ErrnoStatus("cannot sync " + directory, errno);
  }
  return Status::Ok();
}

}  // namespace hearth::remote_write
