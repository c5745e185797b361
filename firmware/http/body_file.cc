#include "firmware/http/body_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace hearth::http {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = ".hearth-upload-";
constexpr uint64_t kSpaceKeptBytes = uint64_t{16} << 20;

}  // namespace

Result<std::unique_ptr<BodyFile>> BodyFile::Make(const std::string& directory,
                                                 uint64_t bytes_expected) {
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (!error && bytes_expected + kSpaceKeptBytes > space.available) {
    return ResourceExhausted("not enough space in " + directory + ": the body has " +
                             std::to_string(bytes_expected) + " bytes and " +
                             std::to_string(kSpaceKeptBytes) + " shall stay free, " +
                             std::to_string(space.available) +
                             " are available; free some and try again");
  }
  std::string path = directory + "/" + kPrefix + "XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot make a file in " + directory, errno);
  return std::unique_ptr<BodyFile>(new BodyFile(std::move(path), fd));
}

void BodyFile::RemoveLeftOver(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().filename().string().starts_with(kPrefix)) fs::remove(entry.path(), ignored);
  }
}

BodyFile::~BodyFile() {
  ::close(fd_);
  ::unlink(path_.c_str());
}

Status BodyFile::Write(std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd_, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus("cannot write the body to " + path_, errno);
    data.remove_prefix(static_cast<size_t>(written));
  }
  return Status::Ok();
}

}  // namespace hearth::http
