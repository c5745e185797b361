#include "storage/revision_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "history_fixture.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

class RevisionFileTest : public testing::Test {
 protected:
  RevisionFileTest() {
    std::string pattern = (fs::temp_directory_path() / "revisions-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/sub/config.db";
  }
  ~RevisionFileTest() override {
    file_.reset();
    fs::remove_all(directory_);
  }

  void Open() {
    file_.reset();
    auto opened = RevisionFile::Open(path_, &clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    file_ = *std::move(opened);
  }
  int64_t Save(const std::string& document, int64_t expected_id) {
    const auto id = file_->Save(document, "admin", "a note", expected_id);
    EXPECT_TRUE(id.ok()) << id.status().ToString();
    return id.ok() ? *id : -1;
  }

  TestClock clock_;
  std::string directory_, path_;
  std::unique_ptr<RevisionFile> file_;
};

TEST_F(RevisionFileTest, KeepsWhatWasSavedAcrossStarts) {
  Open();
  EXPECT_FALSE(file_->Latest()->has_value());
  EXPECT_EQ(Save("one", 0), 1);
  clock_.Advance(5000);
  const std::string second("t\"wo\n\xc3\xa9", 8);
  EXPECT_EQ(Save(second, 1), 2);
  Open();
  const Revision latest = **file_->Latest();
  EXPECT_EQ(latest.id, 2);
  EXPECT_EQ(latest.created_ms, clock_.wall_ms);
  EXPECT_EQ(latest.author, "admin");
  EXPECT_EQ(latest.note, "a note");
  EXPECT_EQ(latest.document, second);
  EXPECT_EQ(file_->Get(1)->document, "one");
  EXPECT_EQ(file_->set_aside(), "");
}

TEST_F(RevisionFileTest, ListsTheNewestFirst) {
  Open();
  for (int64_t i = 0; i < 5; ++i) Save(std::to_string(i), i);
  const auto three = *file_->List(3);
  ASSERT_EQ(three.size(), 3u);
  EXPECT_EQ(three[0].id, 5);
  EXPECT_EQ(three[2].id, 3);
  EXPECT_EQ(three[2].document, "2");
}

TEST_F(RevisionFileTest, RefusesASaveUponAnOldRevisionAndNamesBoth) {
  Open();
  Save("one", 0);
  Save("two", 1);
  const auto late = file_->Save("three", "b", "", 1);
  EXPECT_EQ(late.status().code(), StatusCode::kAborted);
  EXPECT_NE(late.status().message().find("revision 1 "), std::string::npos);
  EXPECT_NE(late.status().message().find("it is 2"), std::string::npos);
  EXPECT_EQ((*file_->Latest())->document, "two");
  EXPECT_EQ(Save("three", 2), 3);
}

TEST_F(RevisionFileTest, OfManyWritersUponOneRevisionOneWins) {
  Open();
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (file_->Save(std::to_string(i), "t", "", 0).ok()) ++won;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ((*file_->List(10)).size(), 1u);
}

TEST_F(RevisionFileTest, NamesTheRevisionsThereAreForOneThatIsNot) {
  Open();
  EXPECT_NE(file_->Get(7).status().message().find("there is none"), std::string::npos);
  Save("one", 0);
  Save("two", 1);
  const Status missing = file_->Get(7).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_NE(missing.message().find("there are 1 to 2"), std::string::npos);
}

TEST_F(RevisionFileTest, RefusesADocumentBeyondItsLimit) {
  Open();
  const std::string large(RevisionFile::kDocumentBytesMax, 'x');
  Save(large, 0);
  EXPECT_EQ(file_->Save(large + "x", "a", "", 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ((*file_->Latest())->document, large);
}

TEST_F(RevisionFileTest, KeepsABoundedNumberOfRevisionsAndNoIdTwice) {
  Open();
  const int64_t count = RevisionFile::kRevisionsKept + 20;
  for (int64_t i = 0; i < count; ++i) Save("d", i);
  const auto all = *file_->List(10 * count);
  EXPECT_EQ(static_cast<int64_t>(all.size()), RevisionFile::kRevisionsKept);
  EXPECT_EQ(all.front().id, count);
}

TEST_F(RevisionFileTest, ABrokenFileIsSetAsideAndDoesNotStopTheStart) {
  for (const double part : {0.0, 0.5, -1.0, -2.0}) {
    Open();
    for (int64_t i = 0; i < 20; ++i) {
      Save(std::string(3000, 'x'), (*file_->Latest()) ? (*file_->Latest())->id : 0);
    }
    file_.reset();
    const auto size = static_cast<double>(fs::file_size(path_));
    if (part >= 0) {
      fs::resize_file(path_, static_cast<uintmax_t>(part * size));
    } else {
      std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(part == -1.0 ? 0 : 4096);
      file << std::string(4096, '\x5a');
    }
    Open();
    // A file without a byte is a new one; the others say what happened.
    EXPECT_EQ(file_->set_aside().empty(), part == 0.0) << part;
    EXPECT_FALSE(file_->Latest()->has_value());
    Save("again", 0);
  }
}

TEST_F(RevisionFileTest, RefusesTheFileOfANewerReleaseAndOfAnotherProgram) {
  Open();
  Save("one", 0);
  file_.reset();
  for (const std::string pragma : {"user_version = 99", "application_id = 5"}) {
    {
      Connection db = *Connection::Open(path_, Connection::Mode::kReadWrite);
      ASSERT_TRUE(db.Execute("PRAGMA " + pragma).ok());
    }
    EXPECT_EQ(RevisionFile::Open(path_, &clock_).status().code(), StatusCode::kFailedPrecondition);
  }
}

TEST_F(RevisionFileTest, AKilledProcessLosesNoRevisionItAcknowledged) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(pipe_ends[0]);  // so that it ends with this process, too
    Open();
    for (int64_t i = 0;; ++i) {
      const auto id = file_->Save(std::to_string(i), "c", "", i);
      if (!id.ok()) ::_exit(3);
      if (::write(pipe_ends[1], &*id, sizeof(*id)) != sizeof(*id)) ::_exit(4);
    }
  }
  ::close(pipe_ends[1]);
  int64_t saved = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(::read(pipe_ends[0], &saved, sizeof(saved)), static_cast<ssize_t>(sizeof(saved)));
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  for (int64_t id = 0; ::read(pipe_ends[0], &id, sizeof(id)) == sizeof(id);) saved = id;
  ::close(pipe_ends[0]);
  Open();
  EXPECT_GE((*file_->Latest())->id, saved);
  EXPECT_EQ(file_->Get(saved)->document, std::to_string(saved - 1));
}

}  // namespace
}  // namespace hearth::storage
