#include "base/durable_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace hearth {
namespace {

namespace fs = std::filesystem;

class DurableFile : public testing::Test {
 protected:
  DurableFile() {
    std::string pattern = (fs::temp_directory_path() / "durable-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/file";
  }
  ~DurableFile() override { fs::remove_all(directory_); }

  std::string directory_;
  std::string path_;
};

TEST_F(DurableFile, IsReadAsItWasWritten) {
  EXPECT_EQ(ReadSmallFile(path_), std::nullopt);
  const std::string text("two\nlines and a zero\0", 21);
  ASSERT_TRUE(WriteDurably(path_, text).ok());
  EXPECT_EQ(ReadSmallFile(path_), text);
  ASSERT_TRUE(WriteDurably(path_, "").ok());
  EXPECT_EQ(ReadSmallFile(path_), "") << "nothing of a longer one is left";
}

TEST_F(DurableFile, IsItsOwnersAlone) {
  ASSERT_TRUE(WriteDurably(path_, "x").ok());
  struct stat about = {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(DurableFile, LeavesNothingWhenItIsRemoved) {
  ASSERT_TRUE(RemoveDurably(path_).ok()) << "there was none";
  ASSERT_TRUE(WriteDurably(path_, "x").ok());
  std::ofstream(path_ + ".new") << "what a power loss cut off";
  ASSERT_TRUE(RemoveDurably(path_).ok());
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(DurableFile, KeepsTheOldOneWhereTheNewCannotBeWritten) {
  ASSERT_TRUE(WriteDurably(path_, "old").ok());
  fs::create_directory(path_ + ".new");
  const Status written = WriteDurably(path_, "new");
  EXPECT_FALSE(written.ok());
  EXPECT_NE(written.message().find(path_ + ".new"), std::string::npos);
  EXPECT_EQ(ReadSmallFile(path_), "old");
}

}  // namespace
}  // namespace hearth
