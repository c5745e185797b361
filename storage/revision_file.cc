#include "storage/revision_file.h"

#include <filesystem>

#include "base/log.h"
#include "storage/migrations.h"
#include "storage/set_aside.h"

namespace hearth::storage {

namespace {

namespace fs = std::filesystem;

constexpr int32_t kApplicationId = 0x48656163;  // "Heac"

constexpr const char* kSteps[] = {
    "CREATE TABLE revisions(id INTEGER PRIMARY KEY AUTOINCREMENT, created_ms INTEGER NOT NULL,"
    " author TEXT NOT NULL, note TEXT NOT NULL, document TEXT NOT NULL);",
};
const Schema kSchema{kApplicationId, kSteps};

}  // namespace

Result<std::unique_ptr<RevisionFile>> RevisionFile::Open(const std::string& path,
                                                         const Clock* clock) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path);
  fs::create_directories(absolute.parent_path(), error);
  if (error) {
    return ErrnoStatus("cannot create " + absolute.parent_path().string(), error.value());
  }
  std::unique_ptr<RevisionFile> file(new RevisionFile(absolute.string(), clock));
  const Status opened = file->OpenConnection(/*check=*/true);
  if (opened.code() == StatusCode::kDataLoss) {
    file->connection_.reset();
    HEARTH_ASSIGN_OR_RETURN(const std::string aside, SetDatabaseAside(file->path_));
    file->set_aside_ = "the configuration was broken (" + opened.message() + "); set aside as " +
                       aside + ", a fresh one begun";
    LOG(kError) << file->set_aside_;
    HEARTH_RETURN_IF_ERROR(file->OpenConnection(/*check=*/false));
  } else if (!opened.ok()) {
    return opened;
  }
  return file;
}

Status RevisionFile::OpenConnection(bool check) {
  connection_.reset();
  HEARTH_ASSIGN_OR_RETURN(Connection connection,
                          Connection::Open(path_, Connection::Mode::kReadWrite));
  HEARTH_RETURN_IF_ERROR(CheckSchema(connection, kSchema));
  // page_size and auto_vacuum take effect only before the first table. FULL: a commit is synced
  // before it is acknowledged.
  HEARTH_RETURN_IF_ERROR(connection.Execute(
      "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA busy_timeout = 5000;"
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 100;"
      "PRAGMA journal_size_limit = 1048576; PRAGMA cache_size = -1024; PRAGMA mmap_size = 0;"
      "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
      "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON"));
  if (check) {
    HEARTH_ASSIGN_OR_RETURN(const std::string verdict,
                            connection.QueryText("PRAGMA integrity_check(1)"));
    if (verdict != "ok") return DataLoss(path_ + ": integrity_check: " + verdict);
  }
  HEARTH_RETURN_IF_ERROR(EmptyLog(connection));
  HEARTH_RETURN_IF_ERROR(Migrate(connection, kSchema));
  connection_.emplace(std::move(connection));
  return Status::Ok();
}

Result<Connection*> RevisionFile::Ready() {
  if (!connection_) HEARTH_RETURN_IF_ERROR(OpenConnection(/*check=*/true));
  return &*connection_;
}

void RevisionFile::DropAfter(const Status& failure) {
  if (failure.code() == StatusCode::kAborted) return;
  LOG(kError) << "configuration: " << failure.message();
  connection_.reset();
}

Result<int64_t> RevisionFile::Save(const std::string& document, const std::string& author,
                                   const std::string& note, int64_t expected_id) {
  if (document.size() > kDocumentBytesMax) {
    return InvalidArgument("a configuration of " + std::to_string(document.size()) +
                           " bytes is larger than the limit of " +
                           std::to_string(kDocumentBytesMax));
  }
  std::lock_guard lock(mutex_);
  const Result<int64_t> saved =
      Write({0, clock_->WallMillis(), author, note, document}, expected_id);
  if (!saved.ok()) DropAfter(saved.status());
  return saved;
}

Result<int64_t> RevisionFile::Write(const Revision& revision, int64_t expected_id) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, Ready());
  HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection));
  constexpr const char* kNewest = "SELECT coalesce(max(id), 0) FROM revisions";
  HEARTH_ASSIGN_OR_RETURN(const int64_t newest, connection->QueryInt(kNewest));
  if (newest != expected_id) {
    return Aborted("the configuration was changed by another: revision " +
                   std::to_string(expected_id) + " was expected to be the newest, it is " +
                   std::to_string(newest) + "; read it and change that");
  }
  HEARTH_ASSIGN_OR_RETURN(
      Statement insert, connection->Prepare("INSERT INTO revisions(created_ms, author, note, "
                                            "document) VALUES(?, ?, ?, ?)"));
  insert.Bind(1, revision.created_ms).Bind(2, std::string_view(revision.author));
  insert.Bind(3, std::string_view(revision.note)).Bind(4, std::string_view(revision.document));
  HEARTH_RETURN_IF_ERROR(insert.Run());
  HEARTH_ASSIGN_OR_RETURN(const int64_t id, connection->QueryInt(kNewest));
  HEARTH_RETURN_IF_ERROR(connection->Execute("DELETE FROM revisions WHERE id <= " +
                                             std::to_string(id - kRevisionsKept)));
  HEARTH_RETURN_IF_ERROR(transaction.Commit());
  return id;
}

// `rest`: what follows the table's name, with one parameter.
Result<std::vector<Revision>> RevisionFile::Query(const std::string& rest, int64_t parameter) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, Ready());
  HEARTH_ASSIGN_OR_RETURN(
      Statement rows, connection->Prepare("SELECT id, created_ms, author, note, document "
                                          "FROM revisions " + rest));
  rows.Bind(1, parameter);
  std::vector<Revision> revisions;
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return revisions;
    revisions.push_back({rows.Int(0), rows.Int(1), std::string(rows.Text(2)),
                         std::string(rows.Text(3)), std::string(rows.Text(4))});
  }
}

Result<std::vector<Revision>> RevisionFile::List(int64_t limit) {
  std::lock_guard lock(mutex_);
  auto revisions = Query("ORDER BY id DESC LIMIT ?", limit);
  if (!revisions.ok()) DropAfter(revisions.status());
  return revisions;
}

Result<std::optional<Revision>> RevisionFile::Latest() {
  HEARTH_ASSIGN_OR_RETURN(std::vector<Revision> newest, List(1));
  if (newest.empty()) return std::optional<Revision>();
  return std::optional<Revision>(std::move(newest[0]));
}

Result<Revision> RevisionFile::Get(int64_t id) {
  std::lock_guard lock(mutex_);
  auto found = Query("WHERE id = ?", id);
  if (!found.ok()) DropAfter(found.status());
  HEARTH_RETURN_IF_ERROR(found.status());
  if (!found->empty()) return std::move((*found)[0]);
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, Ready());
  HEARTH_ASSIGN_OR_RETURN(
      const std::string ids,
      connection->QueryText("SELECT CASE count(*) WHEN 0 THEN 'there is none' ELSE "
                            "'there are ' || min(id) || ' to ' || max(id) END FROM revisions"));
  return NotFound("the configuration has no revision " + std::to_string(id) + "; " + ids);
}

}  // namespace hearth::storage
