#include "storage/history_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "storage/chunk_table.h"
#include "storage/migrations.h"
#include "storage/set_aside.h"

namespace hearth::storage {

namespace {

namespace fs = std::filesystem;

constexpr int32_t kApplicationId = 0x48656172;  // "Hear"
constexpr int64_t kPageBytes = 4096;  // a commit rewrites whole pages: small ones write less
constexpr int64_t kBallastBytes = int64_t{2} << 20;

// first_ms > last_ms: a series without a sample yet. kind: 0 counter, 1 gauge. total: of a counter,
// when it was last absent from a frame or the row was made.
constexpr const char* kSteps[] = {
    "CREATE TABLE series(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, labels TEXT NOT NULL,"
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, total REAL NOT NULL);"
    "CREATE TABLE events(id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE INDEX events_by_time ON events(time_ms);",
    // A tier has tables of chunks beside that of its frames; they are made with it. A release that
    // knows only the frames must not open the file.
    "SELECT 1;",
    // Frames and chunks are stored under keys (clock_epochs.h), events too. Until here those were
    // times of the wall clock.
    "CREATE TABLE clock_epochs(first_key_ms INTEGER PRIMARY KEY, last_key_ms INTEGER NOT NULL,"
    " offset_ms INTEGER NOT NULL, gap_ms INTEGER NOT NULL, moved_ms INTEGER NOT NULL,"
    " anchor_ms INTEGER NOT NULL, boot_id TEXT NOT NULL, provisional INTEGER NOT NULL);"
    "ALTER TABLE events RENAME COLUMN time_ms TO key_ms;",
};
const Schema kSchema{kApplicationId, kSteps};

// quick_check reads every page: 62 ms for 68 MB, so each start can afford it.
Status QuickCheck(Connection& connection) {
  HEARTH_ASSIGN_OR_RETURN(const std::string verdict,
                          connection.QueryText("PRAGMA quick_check(1)"));
  if (verdict != "ok") return DataLoss(connection.path() + ": quick_check: " + verdict);
  return Status::Ok();
}

// On a small file system the database takes a third, which leaves room for its write-ahead log, the
// ballast and others.
int64_t BytesAllowed(const fs::path& path, int64_t bytes_max) {
  std::error_code error;
  const fs::space_info space = fs::space(path.parent_path(), error);
  if (error || space.capacity == 0) return bytes_max;
  return static_cast<int64_t>(std::min<uintmax_t>(static_cast<uintmax_t>(bytes_max),
                                                  space.capacity / 3));
}

bool HasSpaceForBallast(const fs::path& path) {
  constexpr auto kNeeded = static_cast<uintmax_t>(kBallastBytes + (int64_t{1} << 20));
  std::error_code error;
  const fs::space_info space = fs::space(path.parent_path(), error);
  return !error && space.available >= kNeeded;
}

}  // namespace

const Schema& HistorySchema() { return kSchema; }

Result<std::unique_ptr<HistoryFile>> HistoryFile::Open(std::string path, int64_t bytes_max,
                                                       std::vector<std::string> tables) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path);
  fs::create_directories(absolute.parent_path(), error);
  if (error) {
    return ErrnoStatus("cannot create " + absolute.parent_path().string(), error.value());
  }
  std::unique_ptr<HistoryFile> file(
      new HistoryFile(absolute.string(), bytes_max, std::move(tables)));
  HEARTH_RETURN_IF_ERROR(file->OpenOrReplace());
  file->RestoreBallast();
  return file;
}

Status HistoryFile::OpenOrReplace() {
  Status opened = OpenWriter(/*check=*/true);
  const bool no_space = opened.code() == StatusCode::kResourceExhausted ||
                        opened.code() == StatusCode::kUnavailable;
  if (no_space && ReleaseBallast()) opened = OpenWriter(/*check=*/true);
  if (opened.code() != StatusCode::kDataLoss) return opened;
  return Replace(opened.message());
}

Status HistoryFile::Replace(const std::string& reason) {
  HEARTH_RETURN_IF_ERROR(SetAside(reason));
  return OpenWriter(/*check=*/false);
}

Status HistoryFile::OpenWriter(bool check) {
  writer_.reset();
  HEARTH_ASSIGN_OR_RETURN(Connection connection,
                          Connection::Open(path_, Connection::Mode::kReadWrite));
  HEARTH_RETURN_IF_ERROR(CheckSchema(connection, kSchema));
  bytes_limit_ = std::max(BytesAllowed(path_, bytes_max_), 16 * kPageBytes);
  // page_size and auto_vacuum take effect only before the first table. The write-ahead log is kept
  // at the size of the ballast, so that the one can be emptied with the space of the other.
  HEARTH_RETURN_IF_ERROR(connection.Execute(
      "PRAGMA page_size = " + std::to_string(kPageBytes) +
      "; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA busy_timeout = 5000;"
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 512;"
      "PRAGMA journal_size_limit = 2097152; PRAGMA cache_size = -8192; PRAGMA mmap_size = 0;"
      "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
      "PRAGMA cell_size_check = ON; PRAGMA secure_delete = OFF; PRAGMA max_page_count = " +
      std::to_string(bytes_limit_ / kPageBytes)));
  if (check) HEARTH_RETURN_IF_ERROR(QuickCheck(connection));
  HEARTH_RETURN_IF_ERROR(EmptyLog(connection));
  HEARTH_RETURN_IF_ERROR(Migrate(connection, kSchema));
  for (const std::string& table : tables_) {
    HEARTH_RETURN_IF_ERROR(connection.Execute(
        "CREATE TABLE IF NOT EXISTS " + table +
        "(ts INTEGER PRIMARY KEY, frame BLOB NOT NULL);" + ChunkTablesSql(table)));
  }
  writer_.emplace(std::move(connection));
  return Status::Ok();
}

Status HistoryFile::SetAside(const std::string& reason) {
  writer_.reset();
  {
    std::lock_guard lock(readers_mutex_);
    ++generation_;
    readers_.clear();
  }
  HEARTH_ASSIGN_OR_RETURN(const std::string aside, SetDatabaseAside(path_));
  set_aside_ = "history was broken (" + reason + "); set aside as " + aside + ", a fresh one begun";
  LOG(kError) << set_aside_;
  return Status::Ok();
}

Result<Connection*> HistoryFile::Writer() {
  if (!writer_) HEARTH_RETURN_IF_ERROR(OpenWriter(/*check=*/false));
  return &*writer_;
}

void HistoryFile::DropWriter() { writer_.reset(); }

Status HistoryFile::Read(const std::function<Status(Connection&)>& read) const {
  const uint64_t generation = generation_;
  std::optional<Connection> connection;
  {
    std::lock_guard lock(readers_mutex_);
    if (!readers_.empty()) {
      connection.emplace(std::move(readers_.back()));
      readers_.pop_back();
    }
  }
  if (!connection) {
    HEARTH_ASSIGN_OR_RETURN(Connection opened,
                            Connection::Open(path_, Connection::Mode::kReadOnly));
    HEARTH_RETURN_IF_ERROR(opened.Execute(
        "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -2048; PRAGMA trusted_schema = OFF;"
        "PRAGMA cell_size_check = ON; PRAGMA query_only = ON"));
    connection.emplace(std::move(opened));
  }
  HEARTH_RETURN_IF_ERROR(connection->Execute("BEGIN"));
  const Status status = read(*connection);
  HEARTH_RETURN_IF_ERROR(connection->Execute("COMMIT"));
  std::lock_guard lock(readers_mutex_);
  if (status.ok() && generation == generation_) readers_.push_back(std::move(*connection));
  return status;
}

// Only when it is enough for the ballast: less would be taken by whoever fills the disk.
void HistoryFile::GiveBackFreePages() {
  if (!writer_) return;
  const auto unused = writer_->QueryInt("PRAGMA freelist_count");
  const int64_t pages = kBallastBytes / kPageBytes;
  if (!unused.ok() || *unused < pages) return;
  const Status given = writer_->Execute("PRAGMA incremental_vacuum(" + std::to_string(pages) +
                                        "); PRAGMA wal_checkpoint(PASSIVE)");
  if (!given.ok()) LOG(kWarning) << "no space for the ballast: " << given.message();
}

bool HistoryFile::ReleaseBallast() {
  return ::unlink((path_ + ".ballast").c_str()) == 0;
}

void HistoryFile::RestoreBallast() {
  const std::string ballast = path_ + ".ballast";
  std::error_code ignored;
  if (fs::exists(ballast, ignored)) return;
  if (!HasSpaceForBallast(path_)) GiveBackFreePages();
  if (!HasSpaceForBallast(path_)) return;
  const int fd = ::open(ballast.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const int error = ::posix_fallocate(fd, 0, kBallastBytes);
  ::close(fd);
  if (error != 0) ::unlink(ballast.c_str());
}

Result<double> HistoryFile::Fullness() {
  HEARTH_ASSIGN_OR_RETURN(Connection* const writer, Writer());
  HEARTH_ASSIGN_OR_RETURN(const int64_t pages, writer->QueryInt("PRAGMA page_count"));
  HEARTH_ASSIGN_OR_RETURN(const int64_t unused, writer->QueryInt("PRAGMA freelist_count"));
  HEARTH_ASSIGN_OR_RETURN(const int64_t limit, writer->QueryInt("PRAGMA max_page_count"));
  return static_cast<double>(pages - unused) / static_cast<double>(limit);
}

int64_t HistoryFile::BytesOnDisk() const {
  int64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code error;
    const auto size = fs::file_size(path_ + suffix, error);
    if (!error) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

}  // namespace hearth::storage
