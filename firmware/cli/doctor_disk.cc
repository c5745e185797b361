// hearth doctor: the directories that hearthd needs.
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>

#include "firmware/cli/doctor.h"
#include "firmware/cli/text_table.h"
#include "firmware/library/disk_guard.h"

namespace hearth::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel's own limit
constexpr mode_t kSearch = 1, kWrite = 2, kRead = 4;
// History, configuration and their journals; below this a commit may already find no room.
constexpr double kStateBytesMin = double{512} * (1 << 20);

// `directory` or the nearest one above it that is there.
std::string NearestThere(const std::string& directory) {
  fs::path path = fs::absolute(directory).lexically_normal();
  std::error_code error;
  while (!fs::exists(path, error) && path.has_relative_path()) path = path.parent_path();
  return path.string();
}

std::string OwnerText(const struct stat& file) {
  const passwd* const user = ::getpwuid(file.st_uid);
  const group* const members = ::getgrgid(file.st_gid);
  return (user != nullptr ? user->pw_name : std::to_string(file.st_uid)) + std::string(" ") +
         (members != nullptr ? members->gr_name : std::to_string(file.st_gid));
}

// "drwxr-x--- root hearth"
std::string ModeText(const struct stat& file) {
  std::string text = S_ISDIR(file.st_mode) ? "d" : "-";
  for (int shift = 6; shift >= 0; shift -= 3) {
    const mode_t bits = file.st_mode >> shift & 7;
    text += {bits & kRead ? 'r' : '-', bits & kWrite ? 'w' : '-', bits & kSearch ? 'x' : '-'};
  }
  return text + " " + OwnerText(file);
}

bool HasAccessList(const std::string& path) {
  return ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

bool Allows(const std::string& path, const struct stat& file, const Account& account, mode_t need) {
  if (!account.is_this_process) return ModeAllows(file, account, need);
  const int mode = (need & kSearch ? X_OK : 0) | (need & kWrite ? W_OK : 0) |
                   (need & kRead ? R_OK : 0);
  // A file system mounted read-only is another check's finding.
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 || errno == EROFS;
}

// The walk that the kernel does for a path.
class Walk {
 public:
  Walk(const std::string& directory, const Account& account)
      : account_(account), left_(Parts(fs::absolute(directory).lexically_normal())) {}

  // What is in the way; nullopt when the whole path can be walked.
  std::optional<Finding> Go(const std::string& check, const std::string& directory);

  const std::string& place() const { return place_; }
  bool is_there() const { return is_there_; }  // else place() is where the rest would be made

 private:
  static std::deque<std::string> Parts(const fs::path& path) {
    std::deque<std::string> parts;
    for (const fs::path& part : path) {
      if (!part.empty() && part != "/") parts.push_back(part.string());
    }
    return parts;
  }
  std::optional<Finding> CannotSearch(const std::string& check, const std::string& directory,
                                      const struct stat& file) const;
  void FollowLink(const std::string& link);

  const Account& account_;
  std::deque<std::string> left_;
  std::string place_ = "/";
  bool is_there_ = true;
  int links_ = 0;
};

std::optional<Finding> Walk::CannotSearch(const std::string& check, const std::string& directory,
                                          const struct stat& file) const {
  const std::string found = "'" + place_ + "' (" + ModeText(file) + ") cannot be searched by '" +
                            account_.name + "'";
  if (!account_.is_this_process && HasAccessList(place_)) {
    return Warn(check, found + " by its mode, but it has an access control list",
                "'getfacl " + place_ + "' shows whether it lets '" + account_.name + "' in");
  }
  return Bad(check, found + ", so '" + directory + "' is out of reach",
             "setfacl -m u:" + account_.name + ":x " + place_ + ", or chmod o+x " + place_);
}

void Walk::FollowLink(const std::string& link) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  if (target.is_absolute()) place_ = "/";
  const std::deque<std::string> parts = Parts(target);
  left_.insert(left_.begin(), parts.begin(), parts.end());
}

std::optional<Finding> Walk::Go(const std::string& check, const std::string& directory) {
  while (true) {
    struct stat file {};
    if (::stat(place_.c_str(), &file) != 0) {
      return Bad(check, "'" + place_ + "': " + std::strerror(errno), "repair that path");
    }
    if (!S_ISDIR(file.st_mode)) {
      return Bad(check, "'" + place_ + "' is no directory", "move it away, or name another path");
    }
    if (!Allows(place_, file, account_, kSearch)) return CannotSearch(check, directory, file);
    if (left_.empty()) return std::nullopt;
    const std::string part = left_.front();
    left_.pop_front();
    if (part == "..") {
      place_ = fs::path(place_).parent_path().string();
      continue;
    }
    if (part == ".") continue;
    const std::string next = (fs::path(place_) / part).string();
    struct stat entry {};
    if (::lstat(next.c_str(), &entry) != 0) {
      is_there_ = false;
      if (errno == ENOENT) return std::nullopt;
      return Bad(check, "'" + next + "': " + std::strerror(errno),
                 "run 'hearth doctor' as root to see further");
    }
    if (!S_ISLNK(entry.st_mode)) {
      place_ = next;
    } else if (++links_ > kLinksMax) {
      return Bad(check, "'" + next + "' is one of more than " + std::to_string(kLinksMax) +
                            " symbolic links", "name the directory itself");
    } else {
      FollowLink(next);
    }
  }
}

}  // namespace

Finding CheckDisk(const std::string& check, const std::string& directory, uint64_t reserve_bytes) {
  const std::string there = NearestThere(directory);
  struct statvfs disk {};
  if (::statvfs(there.c_str(), &disk) != 0) {
    return Bad(check, "'" + there + "': " + std::strerror(errno), "repair or mount that disk");
  }
  const double total = static_cast<double>(disk.f_blocks) * static_cast<double>(disk.f_frsize);
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  const auto reserve = static_cast<double>(
      library::DiskGuard(there, reserve_bytes)
          .ReserveOf({static_cast<uint64_t>(total), static_cast<uint64_t>(free)}));
  const std::string found = SizeText(free) + " of " + SizeText(total) + " are free under '" +
                            there + "'";
  if ((disk.f_flag & ST_RDONLY) != 0) {
    return Bad(check, "'" + there + "' is mounted read-only",
               "mount it read-write; 'dmesg' says whether the kernel did so because of errors");
  }
  if (disk.f_files > 0 && disk.f_favail == 0) {
    return Bad(check, "no inode is free under '" + there + "'", "remove small files there");
  }
  if (disk.f_files > 0 && disk.f_favail < disk.f_files / 100) {
    return Warn(check, found + ", but only " + std::to_string(disk.f_favail) + " of " +
                           std::to_string(disk.f_files) + " inodes",
                "remove small files there");
  }
  if (free < kStateBytesMin) {
    return Bad(check, found + ", less than " + SizeText(kStateBytesMin), "free some space");
  }
  if (free < reserve) {
    return Warn(check, found + ", and the last " + SizeText(reserve) + " are left free",
                "nothing is pulled until there is more; 'hearth library' shows what lies there");
  }
  return Good(check, found);
}

Finding CheckPermissions(const std::string& check, const std::string& directory,
                         const Account& account) {
  Walk walk(directory, account);
  if (const auto in_the_way = walk.Go(check, directory)) return *in_the_way;
  struct stat last {};
  const bool is_known = ::stat(walk.place().c_str(), &last) == 0;
  const mode_t need = kSearch | kWrite | (walk.is_there() ? kRead : 0);
  if (is_known && Allows(walk.place(), last, account, need)) {
    return Good(check, walk.is_there()
                           ? "'" + account.name + "' reaches and writes '" + directory + "'"
                           : "'" + directory + "' is not there; '" + account.name +
                                 "' may make it in '" + walk.place() + "'");
  }
  const std::string found = "'" + walk.place() + "' (" + ModeText(last) +
                            ") cannot be written by '" + account.name + "'";
  if (!account.is_this_process && HasAccessList(walk.place())) {
    return Warn(check, found + " by its mode, but it has an access control list",
                "'getfacl " + walk.place() + "' shows what it allows");
  }
  if (walk.is_there()) return Bad(check, found, "chown " + account.name + " " + walk.place());
  return Bad(check, found + ", so '" + directory + "' cannot be made",
             "install -d -o " + account.name + " -m 750 " + directory);
}

bool HasSystemdUnit() {
  std::error_code ignored;
  for (const char* unit : {"/etc/systemd/system/hearth.service",
                           "/lib/systemd/system/hearth.service"}) {
    if (fs::exists(unit, ignored)) return true;
  }
  return false;
}

Finding CheckSandbox(const Patient& patient, bool has_unit) {
  constexpr const char* kCheck = "sandbox";
  if (!has_unit) return Good(kCheck, "hearthd is not started by systemd here");
  for (const std::string& directory : {patient.state_directory, patient.models_directory}) {
    for (const char* hidden : {"/home", "/root", "/run/user"}) {
      if (!(directory + "/").starts_with(std::string(hidden) + "/")) continue;
      return Bad(kCheck, "'" + directory + "' is hidden from hearthd by ProtectHome= of its unit",
                 "move it out of " + std::string(hidden) + ", to /srv for one");
    }
  }
  const bool is_inside = (patient.models_directory + "/").starts_with(patient.state_directory + "/");
  if (is_inside) return Good(kCheck, "the unit of hearthd lets it write where it has to");
  return Warn(kCheck, "'" + patient.models_directory +
                          "' is read-only for hearthd unless its unit names it",
              "systemctl edit hearth, with [Service] and ReadWritePaths=" +
                  patient.models_directory);
}

}  // namespace hearth::cli
