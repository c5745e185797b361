#include "storage/revision_file.h"

namespace hearth::storage {

namespace {

constexpr int32_t kApplicationId = 0x48656163;  // "Heac"

constexpr const char* kSteps[] = {
    "CREATE TABLE revisions(id INTEGER PRIMARY KEY AUTOINCREMENT, created_ms INTEGER NOT NULL,"
    " author TEXT NOT NULL, note TEXT NOT NULL, document TEXT NOT NULL);",
};
const Schema kSchema{kApplicationId, kSteps};

}  // namespace

Result<std::unique_ptr<RevisionFile>> RevisionFile::Open(const std::string& path,
                                                         const Clock* clock) {
  HEARTH_ASSIGN_OR_RETURN(auto database,
                          SmallDatabase::Open({path, "the configuration", kSchema}));
  return std::unique_ptr<RevisionFile>(new RevisionFile(std::move(database), clock));
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
  database_->DropAfter(saved.status());
  return saved;
}

Result<int64_t> RevisionFile::Write(const Revision& revision, int64_t expected_id) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
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
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
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
  database_->DropAfter(revisions.status());
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
  database_->DropAfter(found.status());
  HEARTH_RETURN_IF_ERROR(found.status());
  if (!found->empty()) return std::move((*found)[0]);
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
  HEARTH_ASSIGN_OR_RETURN(
      const std::string ids,
      connection->QueryText("SELECT CASE count(*) WHEN 0 THEN 'there is none' ELSE "
                            "'there are ' || min(id) || ' to ' || max(id) END FROM revisions"));
  return NotFound("the configuration has no revision " + std::to_string(id) + "; " + ids);
}

}  // namespace hearth::storage
