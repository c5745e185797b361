// SQLite behind three small types. Every failure is a Status that names the file and the statement.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hearth::storage {

class Statement;

// Used by one thread at a time.
class Connection {
 public:
  enum class Mode { kReadWrite, kReadOnly };  // kReadWrite creates the file when there is none

  // kDataLoss when the file is no database or a broken one, kUnavailable when it cannot be opened.
  static Result<Connection> Open(const std::string& path, Mode mode);

  // Runs statements that return no rows of interest.
  Status Execute(const std::string& sql);
  Result<Statement> Prepare(std::string_view sql);
  // The first column of the first row; kNotFound when there is no row.
  Result<int64_t> QueryInt(std::string_view sql);
  Result<std::string> QueryText(std::string_view sql);
  // Rows that the last INSERT, UPDATE or DELETE touched.
  int64_t changes() const;
  const std::string& path() const { return *path_; }

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  Connection(std::unique_ptr<sqlite3, Close> db, const std::string& path)
      : db_(std::move(db)), path_(std::make_unique<std::string>(path)) {}

  std::unique_ptr<sqlite3, Close> db_;
  std::unique_ptr<std::string> path_;  // statements point to it
};

// A prepared statement; its connection must outlive it. Parameters count from 1, columns from 0.
// What Blob() and Text() return is valid until the next Step() or Reset().
class Statement {
 public:
  // An error of a bind is reported by the next Step().
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, double value);
  Statement& Bind(int parameter, std::string_view value);
  Statement& Bind(int parameter, std::span<const uint8_t> value);

  // True when there is a row.
  Result<bool> Step();
  // Steps to the end, ignoring rows, and makes the statement ready for the next binds.
  Status Run();
  void Reset();

  int64_t Int(int column) const;
  double Real(int column) const;
  std::string_view Text(int column) const;
  std::span<const uint8_t> Blob(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3_stmt* statement, const std::string* path)
      : statement_(statement), path_(path) {}
  void Note(int code);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_;
  int bind_error_ = 0;
};

// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> Begin(Connection& connection);  // takes the write lock at once
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Status Commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

// To be called by the one writer before it writes. A commit whose sync failed has left frames in the
// write-ahead log that can be read and are not on the disk; what is committed after them would be
// lost with the power. This writes what can be read into the database, synced, and starts the log
// over. A log that cannot be emptied for want of space stays as it is.
Status EmptyLog(Connection& connection);

}  // namespace hearth::storage
