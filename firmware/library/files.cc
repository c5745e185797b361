#include "firmware/library/files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace hearth::library {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0644;    // no secrets; an engine under another user reads them, too
constexpr mode_t kFolderMode = 0755;

}  // namespace

void Fd::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Fd> OpenFolder(const std::string& path) {
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return ErrnoStatus("cannot open the folder " + path, errno);
  return folder;
}

Result<Fd> OpenBeneath(int folder, const std::string& path, int flags, Links links) {
  // The C string that the kernel sees must be all of the name.
  if (path.find('\0') != std::string::npos) return InvalidArgument("a file name has a zero byte");
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  if ((flags & O_CREAT) != 0) how.mode = kFileMode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (links == Links::kRefused) how.resolve |= RESOLVE_NO_SYMLINKS;
  Fd opened(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
  if (opened.get() >= 0) return opened;
  if (errno == EXDEV || errno == ELOOP) {
    return InvalidArgument("'" + path + "' leads out of its folder or is a symbolic link");
  }
  return ErrnoStatus("cannot open '" + path + "'", errno);
}

Result<Fd> MakeBeneath(int folder, const std::string& path) {
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (OpenBeneath(folder, parent, O_PATH | O_DIRECTORY).ok()) continue;
    const size_t above = parent.rfind('/');
    HEARTH_ASSIGN_OR_RETURN(
        const Fd holder,
        OpenBeneath(folder, above == std::string::npos ? "." : parent.substr(0, above),
                    O_PATH | O_DIRECTORY));
    const std::string name = above == std::string::npos ? parent : parent.substr(above + 1);
    if (name == "..") return InvalidArgument("'" + path + "' leads out of its folder");
    if (::mkdirat(holder.get(), name.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return ErrnoStatus("cannot make the folder '" + parent + "'", errno);
    }
  }
  return OpenBeneath(folder, path, O_RDWR | O_CREAT);
}

Status WriteAt(int fd, std::string_view data, uint64_t offset) {
  while (!data.empty()) {
    const ssize_t written = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus("cannot write", errno);
    data.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return Status::Ok();
}

Status SyncFile(int fd, const std::string& name) {
  if (::fdatasync(fd) != 0) return ErrnoStatus("cannot sync " + name, errno);
  return Status::Ok();
}

Status SyncFolder(const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(const Fd folder, OpenFolder(path));
  if (::fsync(folder.get()) != 0) return ErrnoStatus("cannot sync " + path, errno);
  return Status::Ok();
}

Status MoveDurably(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return ErrnoStatus("cannot rename " + from + " to " + to, errno);
  }
  HEARTH_RETURN_IF_ERROR(SyncFolder(fs::path(to).parent_path().string()));
  return SyncFolder(fs::path(from).parent_path().string());
}

Result<Space> SpaceOf(const std::string& directory) {
  struct statvfs about {};
  if (::statvfs(directory.c_str(), &about) != 0) {
    return ErrnoStatus("cannot ask for the free space of " + directory, errno);
  }
  return Space{about.f_blocks * about.f_frsize, about.f_bavail * about.f_frsize};
}

uint64_t BytesOnDisk(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    struct stat about {};
    if (::lstat(it->path().c_str(), &about) == 0 && S_ISREG(about.st_mode)) {
      bytes += static_cast<uint64_t>(about.st_blocks) * 512;
    }
  }
  return bytes;
}

}  // namespace hearth::library
