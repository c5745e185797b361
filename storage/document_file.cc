#include "storage/document_file.h"

namespace hearth::storage {

namespace {

constexpr int32_t kApplicationId = 0x48656164;  // "Head"

constexpr const char* kSteps[] = {
    "CREATE TABLE documents(key TEXT PRIMARY KEY, version INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, text TEXT NOT NULL);",
};
const Schema kSchema{kApplicationId, kSteps};

constexpr const char* kColumns = "SELECT key, version, updated_ms, text FROM documents ";

Document Row(const Statement& row) {
  return {std::string(row.Text(0)), row.Int(1), row.Int(2), std::string(row.Text(3))};
}

}  // namespace

Result<std::unique_ptr<DocumentFile>> DocumentFile::Open(Options options, const Clock* clock) {
  HEARTH_ASSIGN_OR_RETURN(
      auto database,
      SmallDatabase::Open({options.path, "the file of the " + options.what + "s", kSchema}));
  return std::unique_ptr<DocumentFile>(
      new DocumentFile(std::move(options), std::move(database), clock));
}

Status DocumentFile::NoneOf(const std::string& key) const {
  return NotFound("there is no " + options_.what + " '" + key + "'");
}

Result<std::optional<Document>> DocumentFile::Find(Connection& connection,
                                                   const std::string& key) {
  HEARTH_ASSIGN_OR_RETURN(Statement row,
                          connection.Prepare(std::string(kColumns) + "WHERE key = ?"));
  row.Bind(1, std::string_view(key));
  HEARTH_ASSIGN_OR_RETURN(const bool is_there, row.Step());
  return is_there ? std::optional(Row(row)) : std::nullopt;
}

Result<Document> DocumentFile::Put(const std::string& key, const std::string& text,
                                   std::optional<int64_t> expected) {
  if (text.size() > options_.bytes_max) {
    return InvalidArgument("a " + options_.what + " of " + std::to_string(text.size()) +
                           " bytes is larger than the limit of " +
                           std::to_string(options_.bytes_max) + "; split it");
  }
  std::lock_guard lock(mutex_);
  auto written = Write(key, text, expected);
  database_->DropAfter(written.status());
  return written;
}

Result<Document> DocumentFile::Write(const std::string& key, const std::string& text,
                                     std::optional<int64_t> expected) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
  HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection));
  HEARTH_ASSIGN_OR_RETURN(const auto old, Find(*connection, key));
  const int64_t version = old ? old->version : 0;
  if (expected && *expected != version) {
    return Aborted("the " + options_.what + " '" + key + "' is " +
                   (old ? "at version " + std::to_string(version) : "not there") + ", version " +
                   std::to_string(*expected) + " was expected; read it and change that");
  }
  HEARTH_ASSIGN_OR_RETURN(const int64_t count,
                          connection->QueryInt("SELECT count(*) FROM documents"));
  if (!old && count >= options_.count_max) {
    return FailedPrecondition("there are " + std::to_string(count) + " " + options_.what +
                              "s, which is the limit; delete one");
  }
  const Document written{key, version + 1, clock_->WallMillis(), ""};
  HEARTH_ASSIGN_OR_RETURN(
      Statement insert, connection->Prepare("INSERT OR REPLACE INTO documents(key, version, "
                                            "updated_ms, text) VALUES(?, ?, ?, ?)"));
  insert.Bind(1, std::string_view(key)).Bind(2, written.version).Bind(3, written.updated_ms);
  insert.Bind(4, std::string_view(text));
  HEARTH_RETURN_IF_ERROR(insert.Run());
  HEARTH_RETURN_IF_ERROR(transaction.Commit());
  return written;
}

Status DocumentFile::Remove(const std::string& key) {
  std::lock_guard lock(mutex_);
  const Status removed = Delete(key);
  database_->DropAfter(removed);
  return removed;
}

Status DocumentFile::Delete(const std::string& key) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
  HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection));
  HEARTH_ASSIGN_OR_RETURN(Statement statement,
                          connection->Prepare("DELETE FROM documents WHERE key = ?"));
  statement.Bind(1, std::string_view(key));
  HEARTH_RETURN_IF_ERROR(statement.Run());
  if (connection->changes() == 0) return NoneOf(key);
  HEARTH_RETURN_IF_ERROR(transaction.Commit());
  return connection->Execute("PRAGMA incremental_vacuum");
}

Result<Document> DocumentFile::Get(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto document = Read(key);
  database_->DropAfter(document.status());
  return document;
}

Result<Document> DocumentFile::Read(const std::string& key) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
  HEARTH_ASSIGN_OR_RETURN(auto found, Find(*connection, key));
  if (!found) return NoneOf(key);
  return *std::move(found);
}

Status DocumentFile::ForEach(const std::function<void(Document)>& visit) {
  std::lock_guard lock(mutex_);
  const Status visited = Visit(visit);
  database_->DropAfter(visited);
  return visited;
}

Status DocumentFile::Visit(const std::function<void(Document)>& visit) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
  HEARTH_ASSIGN_OR_RETURN(Statement rows,
                          connection->Prepare(std::string(kColumns) + "ORDER BY key"));
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    visit(Row(rows));
  }
}

}  // namespace hearth::storage
