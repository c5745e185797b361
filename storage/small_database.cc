#include "storage/small_database.h"

#include <filesystem>

#include "base/log.h"
#include "storage/set_aside.h"

namespace hearth::storage {

namespace fs = std::filesystem;

Result<std::unique_ptr<SmallDatabase>> SmallDatabase::Open(Options options) {
  std::error_code error;
  const fs::path absolute = fs::absolute(options.path);
  fs::create_directories(absolute.parent_path(), error);
  if (error) {
    return ErrnoStatus("cannot create " + absolute.parent_path().string(), error.value());
  }
  options.path = absolute.string();
  std::unique_ptr<SmallDatabase> database(new SmallDatabase(std::move(options)));
  const Status opened = database->OpenConnection(/*check=*/true);
  if (opened.code() == StatusCode::kDataLoss) {
    database->connection_.reset();
    HEARTH_ASSIGN_OR_RETURN(const std::string aside, SetDatabaseAside(database->path()));
    database->set_aside_ = database->options_.what + " was broken (" + opened.message() +
                           "); set aside as " + aside + ", a fresh one begun";
    LOG(kError) << database->set_aside_;
    HEARTH_RETURN_IF_ERROR(database->OpenConnection(/*check=*/false));
  } else if (!opened.ok()) {
    return opened;
  }
  return database;
}

Status SmallDatabase::OpenConnection(bool check) {
  connection_.reset();
  HEARTH_ASSIGN_OR_RETURN(Connection connection,
                          Connection::Open(path(), Connection::Mode::kReadWrite));
  HEARTH_RETURN_IF_ERROR(CheckSchema(connection, options_.schema));
  // page_size and auto_vacuum take effect only before the first table.
  HEARTH_RETURN_IF_ERROR(connection.Execute(
      "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA busy_timeout = 5000;"
      "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 100;"
      "PRAGMA journal_size_limit = 1048576; PRAGMA cache_size = -1024; PRAGMA mmap_size = 0;"
      "PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
      "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON"));
  const bool is_full = options_.synchronous == Synchronous::kFull;
  HEARTH_RETURN_IF_ERROR(
      connection.Execute(is_full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
  if (check) {
    HEARTH_ASSIGN_OR_RETURN(const std::string verdict,
                            connection.QueryText("PRAGMA integrity_check(1)"));
    if (verdict != "ok") return DataLoss(path() + ": integrity_check: " + verdict);
  }
  HEARTH_RETURN_IF_ERROR(EmptyLog(connection));
  HEARTH_RETURN_IF_ERROR(Migrate(connection, options_.schema));
  connection_.emplace(std::move(connection));
  return Status::Ok();
}

Result<Connection*> SmallDatabase::Ready() {
  if (!connection_) HEARTH_RETURN_IF_ERROR(OpenConnection(/*check=*/true));
  return &*connection_;
}

void SmallDatabase::DropAfter(const Status& failure) {
  switch (failure.code()) {
    case StatusCode::kOk:
    case StatusCode::kAborted:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound: return;
    default: break;
  }
  LOG(kError) << options_.what << ": " << failure.message();
  connection_.reset();
}

}  // namespace hearth::storage
