#include "firmware/remote_write/cursor_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace hearth::remote_write {
namespace {

class CursorFileTest : public testing::Test {
 protected:
  CursorFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cursor-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~CursorFileTest() override { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/remote_write.json"; }
  void Put(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
  }

  std::string directory_;
};

TEST_F(CursorFileTest, ReadsWhatWasWritten) {
  const CursorFile file(path());
  EXPECT_FALSE(file.Read().value().has_value());
  ASSERT_TRUE(file.Write(1'700'000'000'123).ok());
  EXPECT_EQ(file.Read().value(), 1'700'000'000'123);
  ASSERT_TRUE(file.Write(1'700'000'000'124).ok());
  EXPECT_EQ(CursorFile(path()).Read().value(), 1'700'000'000'124);
}

TEST_F(CursorFileTest, ACrashWhileWritingLeavesTheTimeBefore) {
  const CursorFile file(path());
  ASSERT_TRUE(file.Write(1).ok());
  for (const char* torn : {"", "{\"ackn", "{\"acknowledged_ms\":"}) {
    Put("remote_write.json.new", torn);
    EXPECT_EQ(file.Read().value(), 1);
  }
  ASSERT_TRUE(file.Write(2).ok());
  EXPECT_EQ(file.Read().value(), 2);
}

TEST_F(CursorFileTest, WhatIsNoCursorIsSaid) {
  for (const char* text : {"", "null", "{}", "{\"acknowledged_ms\":\"1\"}", "[[[[["}) {
    Put("remote_write.json", text);
    EXPECT_EQ(CursorFile(path()).Read().status().code(), StatusCode::kDataLoss) << text;
  }
}

TEST_F(CursorFileTest, ADirectoryThatIsGoneIsAnError) {
  EXPECT_FALSE(CursorFile(directory_ + "/absent/remote_write.json").Write(1).ok());
}

}  // namespace
}  // namespace hearth::remote_write
