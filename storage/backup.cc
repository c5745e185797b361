#include "storage/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/log.h"
#include "storage/history_file.h"
#include "storage/migrations.h"
#include "storage/set_aside.h"

namespace hearth::storage {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTemporaryPrefix = ".hearth-temporary-";
// What others on the file system need while a copy lies there; the history's own ballast is 2 MiB.
constexpr int64_t kRoomToSpareBytes = int64_t{16} << 20;

Status SyncPath(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open " + path, errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) return ErrnoStatus("cannot sync " + path, error);
  return Status::Ok();
}

Status Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return ErrnoStatus("cannot rename " + from + " to " + to, errno);
  }
  return SyncPath(fs::absolute(to).parent_path().string());
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string RestorePath(const std::string& history) { return history + ".restore"; }

Status CheckIdentity(Connection& connection) {
  const Schema& schema = HistorySchema();
  HEARTH_ASSIGN_OR_RETURN(const int64_t id, connection.QueryInt("PRAGMA application_id"));
  if (id != schema.application_id) {
    return FailedPrecondition(connection.path() + " is not a history of Hearth (application_id " +
                              std::to_string(id) + ", expected " +
                              std::to_string(schema.application_id) + ")");
  }
  return CheckSchema(connection, schema);
}

// Into the database itself what its write-ahead log still has, so that one file is all of it. A
// history too broken for that is moved with its log as it is.
void FoldLog(const std::string& history) {
  auto connection = Connection::Open(history, Connection::Mode::kReadWrite);
  if (!connection.ok()) return;
  if (const Status folded = connection->Execute("PRAGMA wal_checkpoint(TRUNCATE)"); !folded.ok()) {
    LOG(kWarning) << "the history that is replaced keeps its log apart: " << folded.message();
  }
}

Status PutAside(const std::string& history, const std::string& aside) {
  FoldLog(history);
  HEARTH_RETURN_IF_ERROR(Rename(history, aside));
  if (Exists(history + "-wal")) HEARTH_RETURN_IF_ERROR(Rename(history + "-wal", aside + "-wal"));
  return Status::Ok();
}

}  // namespace

Result<TemporaryFile> TemporaryFile::In(const std::string& directory) {
  std::string path = directory + "/" + kTemporaryPrefix + "XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) return ErrnoStatus("cannot make a file in " + directory, errno);
  ::close(fd);
  return TemporaryFile(std::move(path));
}

TemporaryFile::~TemporaryFile() {
  if (path_.empty()) return;
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
}

void RemoveTemporaryFiles(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.path().filename().string().starts_with(kTemporaryPrefix)) {
      fs::remove(entry.path(), ignored);
    }
  }
}

Status CheckRoomFor(const std::string& directory, int64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(directory, error);
  if (error) return ErrnoStatus("cannot look at the space of " + directory, error.value());
  const auto available = static_cast<int64_t>(space.available);
  if (bytes + kRoomToSpareBytes <= available) return Status::Ok();
  return ResourceExhausted("not enough space in " + directory + ": " + std::to_string(bytes) +
                           " bytes are needed and " + std::to_string(kRoomToSpareBytes) +
                           " shall stay free, " + std::to_string(available) +
                           " are available; free some and try again");
}

Status CopyHistory(const std::string& history, const std::string& target) {
  if (!Exists(history)) return NotFound("there is no history at " + history);
  std::error_code ignored;
  if (Exists(target) && fs::file_size(target, ignored) > 0) {
    return FailedPrecondition(target + " exists; name a file that does not");
  }
  HEARTH_ASSIGN_OR_RETURN(Connection connection,
                          Connection::Open(history, Connection::Mode::kReadOnly));
  HEARTH_RETURN_IF_ERROR(
      connection.Execute("PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF;"
                         "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY"));
  HEARTH_RETURN_IF_ERROR(CheckIdentity(connection));
  HEARTH_ASSIGN_OR_RETURN(Statement vacuum, connection.Prepare("VACUUM INTO ?"));
  vacuum.Bind(1, std::string_view(target));
  HEARTH_RETURN_IF_ERROR(vacuum.Run());
  return SyncPath(target);
}

Status CheckHistoryCopy(const std::string& path, int64_t bytes_max) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error) return ErrnoStatus("cannot read " + path, error.value());
  if (bytes > static_cast<uintmax_t>(bytes_max)) {
    return ResourceExhausted(path + " has " + std::to_string(bytes) + " bytes, this history may have " +
                             std::to_string(bytes_max));
  }
  HEARTH_ASSIGN_OR_RETURN(Connection connection,
                          Connection::Open(path, Connection::Mode::kReadOnly));
  HEARTH_RETURN_IF_ERROR(
      connection.Execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
  HEARTH_RETURN_IF_ERROR(CheckIdentity(connection));
  HEARTH_ASSIGN_OR_RETURN(const std::string verdict,
                          connection.QueryText("PRAGMA integrity_check(1)"));
  if (verdict != "ok") return DataLoss(path + " is damaged: integrity_check: " + verdict);
  HEARTH_ASSIGN_OR_RETURN(
      const int64_t tables,
      connection.QueryInt("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN "
                          "('series', 'events', 'raw')"));
  if (tables != 3) {
    return DataLoss(path + " lacks tables that every history has (series, events, raw)");
  }
  return Status::Ok();
}

Status StageRestore(const std::string& copy, const std::string& history, int64_t bytes_max) {
  HEARTH_RETURN_IF_ERROR(CheckHistoryCopy(copy, bytes_max));
  HEARTH_RETURN_IF_ERROR(SyncPath(copy));
  return Rename(copy, RestorePath(history));
}

Result<std::optional<std::string>> TakeRestore(const std::string& history, int64_t bytes_max) {
  const std::string waiting = RestorePath(history);
  if (!Exists(waiting)) return std::optional<std::string>();
  if (const Status checked = CheckHistoryCopy(waiting, bytes_max); !checked.ok()) {
    const std::string refused = waiting + "-refused-" + UtcStamp();
    HEARTH_RETURN_IF_ERROR(Rename(waiting, refused));
    return std::optional("not restored, kept as " + refused + ": " + checked.message());
  }
  std::string what = "restored from a backup";
  const std::string aside = history + ".before-restore-" + UtcStamp();
  if (Exists(history)) {
    HEARTH_RETURN_IF_ERROR(PutAside(history, aside));
    what += "; the history before is kept as " + aside;
  }
  // Left by a crash right after the one before was moved.
  for (const char* suffix : {"-wal", "-shm"}) ::unlink((history + suffix).c_str());
  HEARTH_RETURN_IF_ERROR(Rename(waiting, history));
  return std::optional(what);
}

}  // namespace hearth::storage
