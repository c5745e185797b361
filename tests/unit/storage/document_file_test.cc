#include "storage/document_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "history_fixture.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

class DocumentFileTest : public testing::Test {
 protected:
  DocumentFileTest() {
    std::string pattern = (fs::temp_directory_path() / "documents-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/sub/documents.db";
    Open();
  }
  ~DocumentFileTest() override {
    file_.reset();
    fs::remove_all(directory_);
  }

  void Open() {
    file_.reset();
    auto opened = DocumentFile::Open({path_, "letter", 1000, 3}, &clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    file_ = *std::move(opened);
  }
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    EXPECT_TRUE(file_->ForEach([&](const Document& one) { keys.push_back(one.key); }).ok());
    return keys;
  }

  TestClock clock_;
  std::string directory_, path_;
  std::unique_ptr<DocumentFile> file_;
};

TEST_F(DocumentFileTest, KeepsDocumentsAcrossStarts) {
  EXPECT_EQ(file_->Put("b", "one", 0)->version, 1);
  clock_.Advance(5000);
  EXPECT_EQ(file_->Put("b", "two", 1)->version, 2);
  EXPECT_EQ(file_->Put("a", "x", std::nullopt)->version, 1);
  Open();
  const Document b = *file_->Get("b");
  EXPECT_EQ(b.version, 2);
  EXPECT_EQ(b.text, "two");
  EXPECT_EQ(b.updated_ms, clock_.wall_ms);
  EXPECT_EQ(Keys(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(file_->set_aside(), "");
}

TEST_F(DocumentFileTest, RefusesAnotherVersionThanTheNewestAndNamesBoth) {
  EXPECT_EQ(file_->Put("a", "x", 1).status().code(), StatusCode::kAborted);
  ASSERT_TRUE(file_->Put("a", "x", 0).ok());
  EXPECT_EQ(file_->Put("a", "y", 0).status().code(), StatusCode::kAborted);
  ASSERT_TRUE(file_->Put("a", "y", 1).ok());
  const Status late = file_->Put("a", "z", 1).status();
  EXPECT_NE(late.message().find("at version 2"), std::string::npos);
  EXPECT_NE(late.message().find("version 1 was expected"), std::string::npos);
  EXPECT_EQ(file_->Get("a")->text, "y");
}

TEST_F(DocumentFileTest, OfManyWritersUponOneVersionOneWins) {
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (file_->Put("a", std::to_string(i), 0).ok()) ++won;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
}

TEST_F(DocumentFileTest, RefusesWhatIsBeyondItsBounds) {
  EXPECT_EQ(file_->Put("a", std::string(1001, 'x'), 0).status().code(),
            StatusCode::kInvalidArgument);
  for (const char* const key : {"a", "b", "c"}) ASSERT_TRUE(file_->Put(key, "x", 0).ok());
  const Status full = file_->Put("d", "x", 0).status();
  EXPECT_EQ(full.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(full.message().find("3 letters"), std::string::npos);
  EXPECT_TRUE(file_->Put("c", "y", 1).ok()) << "one that is there may change";
  ASSERT_TRUE(file_->Remove("a").ok());
  EXPECT_TRUE(file_->Put("d", "x", 0).ok());
}

TEST_F(DocumentFileTest, WhatIsRemovedIsGone) {
  ASSERT_TRUE(file_->Put("a", "x", 0).ok());
  ASSERT_TRUE(file_->Put("a", "y", 1).ok());
  ASSERT_TRUE(file_->Remove("a").ok());
  EXPECT_EQ(file_->Remove("a").code(), StatusCode::kNotFound);
  EXPECT_EQ(file_->Get("a").status().code(), StatusCode::kNotFound);
  Open();
  EXPECT_EQ(file_->Get("a").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(file_->Put("a", "z", 0)->version, 1);
}

TEST_F(DocumentFileTest, ABrokenFileIsSetAsideAndThatOfANewerReleaseIsRefused) {
  ASSERT_TRUE(file_->Put("a", std::string(900, 'x'), 0).ok());
  file_.reset();
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file << std::string(4096, '\x5a');
  }
  Open();
  EXPECT_NE(file_->set_aside().find("the file of the letters was broken"), std::string::npos);
  EXPECT_TRUE(Keys().empty());
  ASSERT_TRUE(file_->Put("a", "x", 0).ok());
  file_.reset();
  {
    Connection db = *Connection::Open(path_, Connection::Mode::kReadWrite);
    ASSERT_TRUE(db.Execute("PRAGMA user_version = 99").ok());
  }
  EXPECT_EQ(DocumentFile::Open({path_, "letter"}, &clock_).status().code(),
            StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace hearth::storage
