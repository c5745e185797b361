#include "storage/ring_file.h"

namespace hearth::storage {

namespace {

constexpr int32_t kApplicationId = 0x48656172;  // "Hear"

constexpr const char* kSteps[] = {
    "CREATE TABLE batches(id INTEGER PRIMARY KEY AUTOINCREMENT, records INTEGER NOT NULL,"
    " batch BLOB NOT NULL);",
};
const Schema kSchema{kApplicationId, kSteps};

}  // namespace

Result<std::unique_ptr<RingFile>> RingFile::Open(Options options) {
  HEARTH_ASSIGN_OR_RETURN(auto database,
                          SmallDatabase::Open({options.path, options.what, kSchema,
                                               SmallDatabase::Synchronous::kNormal}));
  return std::unique_ptr<RingFile>(new RingFile(std::move(options), std::move(database)));
}

Status RingFile::Append(std::span<const uint8_t> batch, int64_t records) {
  std::lock_guard lock(mutex_);
  const Status written = Write(batch, records);
  database_->DropAfter(written);
  return written;
}

Status RingFile::Write(std::span<const uint8_t> batch, int64_t records) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
  HEARTH_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*connection));
  HEARTH_ASSIGN_OR_RETURN(
      Statement insert, connection->Prepare("INSERT INTO batches(records, batch) VALUES(?, ?)"));
  insert.Bind(1, records).Bind(2, batch);
  HEARTH_RETURN_IF_ERROR(insert.Run());
  HEARTH_RETURN_IF_ERROR(MakeRoom(*connection));
  return transaction.Commit();
}

// From the newest batch backwards: the first that the bounds leave no room for goes with all before.
Status RingFile::MakeRoom(Connection& connection) {
  HEARTH_ASSIGN_OR_RETURN(
      Statement rows,
      connection.Prepare("SELECT id, records, length(batch) FROM batches ORDER BY id DESC"));
  int64_t records = 0;
  int64_t bytes = 0;
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    bytes += rows.Int(2);
    const bool is_newest = records == 0;
    if (!is_newest && (records >= options_.records_max || bytes > options_.bytes_max)) break;
    records += rows.Int(1);
  }
  const std::string last = std::to_string(rows.Int(0));
  rows.Reset();
  return connection.Execute("DELETE FROM batches WHERE id <= " + last);
}

Status RingFile::ForEach(const std::function<void(std::span<const uint8_t> batch)>& visit) {
  std::lock_guard lock(mutex_);
  const Status visited = Visit(visit);
  database_->DropAfter(visited);
  return visited;
}

Status RingFile::Visit(const std::function<void(std::span<const uint8_t> batch)>& visit) {
  HEARTH_ASSIGN_OR_RETURN(Connection* const connection, database_->Ready());
  HEARTH_ASSIGN_OR_RETURN(Statement rows,
                          connection->Prepare("SELECT batch FROM batches ORDER BY id"));
  while (true) {
    HEARTH_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return Status::Ok();
    visit(rows.Blob(0));
  }
}

}  // namespace hearth::storage
