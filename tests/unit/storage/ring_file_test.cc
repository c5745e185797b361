#include "storage/ring_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

class RingFileTest : public testing::Test {
 protected:
  RingFileTest() {
    std::string pattern = (fs::temp_directory_path() / "ring-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/sub/ring.db";
    Open();
  }
  ~RingFileTest() override {
    file_.reset();
    fs::remove_all(directory_);
  }

  void Open() {
    file_.reset();
    auto opened = RingFile::Open({path_, "the log", 10, 1000});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    file_ = *std::move(opened);
  }
  void Append(const std::string& batch, int64_t records) {
    const std::vector<uint8_t> bytes(batch.begin(), batch.end());
    const Status appended = file_->Append(bytes, records);
    EXPECT_TRUE(appended.ok()) << appended.ToString();
  }
  std::vector<std::string> All() {
    std::vector<std::string> all;
    const Status visited = file_->ForEach(
        [&](std::span<const uint8_t> batch) { all.emplace_back(batch.begin(), batch.end()); });
    EXPECT_TRUE(visited.ok()) << visited.ToString();
    return all;
  }

  std::string directory_, path_;
  std::unique_ptr<RingFile> file_;
};

using Batches = std::vector<std::string>;

TEST_F(RingFileTest, KeepsBatchesInTheirOrderAcrossStarts) {
  Append("a", 1);
  Append(std::string("b\0c", 3), 2);
  Open();
  EXPECT_EQ(All(), (Batches{"a", std::string("b\0c", 3)}));
  EXPECT_EQ(file_->set_aside(), "");
}

TEST_F(RingFileTest, ABatchGoesWhenThoseAfterItHoldEnoughRecords) {
  Append("a", 4);
  Append("b", 5);
  Append("c", 4);
  EXPECT_EQ(All(), (Batches{"a", "b", "c"})) << "b and c hold 9 of 10";
  Append("d", 1);
  EXPECT_EQ(All(), (Batches{"b", "c", "d"}));
  Append("e", 50);
  EXPECT_EQ(All(), (Batches{"e"}));
}

TEST_F(RingFileTest, ABatchGoesWhenAllTogetherHaveTooManyBytes) {
  Append(std::string(400, 'a'), 1);
  Append(std::string(400, 'b'), 1);
  Append(std::string(300, 'c'), 1);
  EXPECT_EQ(All(), (Batches{std::string(400, 'b'), std::string(300, 'c')}));
  Append(std::string(5000, 'd'), 1);
  EXPECT_EQ(All(), (Batches{std::string(5000, 'd')})) << "the newest stays";
}

TEST_F(RingFileTest, TheFileDoesNotGrowForEver) {
  for (int i = 0; i < 500; ++i) Append(std::string(900, static_cast<char>('a' + i % 26)), 1);
  file_.reset();
  EXPECT_LT(fs::file_size(path_), 64u * 1024);
}

TEST_F(RingFileTest, ABrokenFileIsSetAside) {
  Append("a", 1);
  file_.reset();
  std::ofstream(path_) << std::string(5000, 'x');
  Open();
  EXPECT_NE(file_->set_aside().find("the log was broken"), std::string::npos);
  EXPECT_TRUE(All().empty());
}

}  // namespace
}  // namespace hearth::storage
