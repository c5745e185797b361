#include "storage/sqlite.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "storage/migrations.h"

namespace hearth::storage {
namespace {

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sqlite-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SqliteTest() override { std::filesystem::remove_all(directory_); }

  Connection Open() {
    auto opened = Connection::Open(directory_ + "/a.db", Connection::Mode::kReadWrite);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return *std::move(opened);
  }

  std::string directory_;
};

TEST_F(SqliteTest, GivesBackWhatWasBound) {
  Connection db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE t(i, r, s, b)").ok());
  auto insert = db.Prepare("INSERT INTO t VALUES(?, ?, ?, ?)");
  ASSERT_TRUE(insert.ok());
  const std::vector<uint8_t> blob = {0, 255, 7};
  insert->Bind(1, int64_t{-5}).Bind(2, 0.5).Bind(3, std::string_view("a\0b", 3));
  insert->Bind(4, std::span<const uint8_t>(blob));
  ASSERT_TRUE(insert->Run().ok());
  EXPECT_EQ(db.changes(), 1);

  auto select = db.Prepare("SELECT * FROM t");
  ASSERT_TRUE(select.ok());
  ASSERT_TRUE(*select->Step());
  EXPECT_EQ(select->Int(0), -5);
  EXPECT_EQ(select->Real(1), 0.5);
  EXPECT_EQ(select->Text(2), std::string_view("a\0b", 3));
  const auto bytes = select->Blob(3);
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin(), bytes.end()), blob);
  EXPECT_FALSE(*select->Step());
}

TEST_F(SqliteTest, ErrorsNameTheFileAndTheStatement) {
  Connection db = Open();
  const Status status = db.Execute("SELECT nonsense FROM nowhere");
  EXPECT_NE(status.message().find("a.db"), std::string::npos);
  EXPECT_NE(status.message().find("nowhere"), std::string::npos);
  auto statement = db.Prepare("SELECT 1");
  ASSERT_TRUE(statement.ok());
  EXPECT_FALSE(statement->Bind(9, int64_t{1}).Step().ok());
}

TEST_F(SqliteTest, TransactionsNotCommittedRollBack) {
  Connection db = Open();
  ASSERT_TRUE(db.Execute("CREATE TABLE t(i)").ok());
  {
    auto transaction = Transaction::Begin(db);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(db.Execute("INSERT INTO t VALUES(1)").ok());
  }
  EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM t"), 0);
  auto transaction = Transaction::Begin(db);
  ASSERT_TRUE(transaction.ok());
  ASSERT_TRUE(db.Execute("INSERT INTO t VALUES(1)").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM t"), 1);
}

TEST_F(SqliteTest, MigratesStepByStepAndKeepsTheData) {
  Connection db = Open();
  const char* const one[] = {"CREATE TABLE t(i); INSERT INTO t VALUES(1)"};
  const char* const two[] = {one[0], "ALTER TABLE t ADD COLUMN j DEFAULT 2"};
  ASSERT_TRUE(Migrate(db, {77, one}).ok());
  ASSERT_TRUE(Migrate(db, {77, two}).ok());
  ASSERT_TRUE(Migrate(db, {77, two}).ok());
  EXPECT_EQ(*db.QueryInt("PRAGMA user_version"), 2);
  EXPECT_EQ(*db.QueryInt("SELECT i + j FROM t"), 3);
}

TEST_F(SqliteTest, AFailedMigrationLeavesTheSchemaOfBefore) {
  Connection db = Open();
  const char* const broken[] = {"CREATE TABLE t(i)", "CREATE TABLE u(i); no sql"};
  EXPECT_FALSE(Migrate(db, {77, broken}).ok());
  EXPECT_EQ(*db.QueryInt("PRAGMA user_version"), 1);
  EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(SqliteTest, RefusesNewerSchemasAndOtherProgramsFiles) {
  Connection db = Open();
  const char* const two[] = {"CREATE TABLE t(i)", "CREATE TABLE u(i)"};
  ASSERT_TRUE(Migrate(db, {77, two}).ok());
  const Status newer = CheckSchema(db, {77, std::span(two).first(1)});
  EXPECT_EQ(newer.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(newer.message().find("version 2"), std::string::npos) << newer.message();
  EXPECT_EQ(CheckSchema(db, {78, two}).code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hearth::storage
