#include "storage/sqlite.h"

#include <sqlite3.h>

#include "base/check.h"

namespace hearth::storage {

namespace {

StatusCode CodeFor(int sqlite_code) {
  switch (sqlite_code & 0xff) {  // the low byte of an extended code is the plain one
    case SQLITE_FULL:
      return StatusCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StatusCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kInternal;
  }
}

Status SqliteError(sqlite3* db, int code, const std::string& path, std::string_view sql) {
  std::string message = "SQLite: " + path + ": ";
  message += db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  message += " (code " + std::to_string(code) + ")";
  if (!sql.empty()) message += " in: " + std::string(sql.substr(0, 120));
  return Status(CodeFor(code), std::move(message));
}

}  // namespace

void Connection::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Result<Connection> Connection::Open(const std::string& path, Mode mode) {
  const int access =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, access | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<sqlite3, Close> db(raw);
  if (code != SQLITE_OK) return SqliteError(raw, code, path, "");
  sqlite3_extended_result_codes(raw, 1);
  return Connection(std::move(db), path);
}

Status Connection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return SqliteError(db_.get(), code, *path_, sql);
  return Status::Ok();
}

Result<Statement> Connection::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(db_.get(), code, *path_, sql);
  return Statement(statement, path_.get());
}

Result<int64_t> Connection::QueryInt(std::string_view sql) {
  HEARTH_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  HEARTH_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return NotFound("SQLite: " + *path_ + ": no row for: " + std::string(sql));
  return statement.Int(0);
}

Result<std::string> Connection::QueryText(std::string_view sql) {
  HEARTH_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  HEARTH_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return NotFound("SQLite: " + *path_ + ": no row for: " + std::string(sql));
  return std::string(statement.Text(0));
}

int64_t Connection::changes() const { return sqlite3_changes64(db_.get()); }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Statement::Note(int code) {
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

Statement& Statement::Bind(int parameter, int64_t value) {
  Note(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::Bind(int parameter, double value) {
  Note(sqlite3_bind_double(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::Bind(int parameter, std::string_view value) {
  Note(sqlite3_bind_text64(statement_.get(), parameter, value.data(), value.size(),
                           SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::Bind(int parameter, std::span<const uint8_t> value) {
  Note(sqlite3_bind_blob64(statement_.get(), parameter, value.data(), value.size(),
                           SQLITE_TRANSIENT));
  return *this;
}

Result<bool> Statement::Step() {
  const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_.get()), code, *path_,
                     sqlite3_sql(statement_.get()));
}

Status Statement::Run() {
  while (true) {
    const Result<bool> row = Step();
    if (row.ok() && *row) continue;
    Reset();
    return row.status();
  }
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());
  bind_error_ = SQLITE_OK;
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

double Statement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::span<const uint8_t> Statement::Blob(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Result<Transaction> Transaction::Begin(Connection& connection) {
  HEARTH_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  // After an I/O error SQLite may have rolled back by itself; then this one has nothing to do and
  // says so.
  if (connection_ != nullptr) (void)connection_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  CHECK(connection_ != nullptr) << "a transaction is committed once";
  HEARTH_RETURN_IF_ERROR(connection_->Execute("COMMIT"));
  connection_ = nullptr;
  return Status::Ok();
}

Status EmptyLog(Connection& connection) {
  Status emptied = connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  if (emptied.code() == StatusCode::kResourceExhausted) return Status::Ok();
  return emptied;
}

}  // namespace hearth::storage
