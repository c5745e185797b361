#include "firmware/library/journal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/durable_file.h"
#include "tests/unit/firmware/library/temporary_folder.h"

namespace hearth::library {
namespace {

TEST(RangeSet, SaysWhatAPlainListOfBytesSays) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const size_t size = 1 + random() % 200;
    const uint64_t piece = 1 + random() % 40;
    std::vector<bool> bytes(size);
    RangeSet set;
    for (size_t n = random() % 12; n > 0; --n) {
      const uint64_t begin = random() % size;
      const uint64_t end = begin + 1 + random() % (size - begin);
      set.Add({begin, end});
      for (uint64_t i = begin; i < end; ++i) bytes[i] = true;
    }
    EXPECT_EQ(set.bytes(), static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), true)));
    for (const ByteRange& range : set.Missing(size, piece)) {
      ASSERT_LT(range.begin, range.end);
      ASSERT_LE(range.end - range.begin, piece);
      for (uint64_t i = range.begin; i < range.end; ++i) {
        ASSERT_FALSE(bytes.at(i));
        bytes[i] = true;
      }
    }
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), false), 0) << "something missing was not named";
  }
}

TEST(Journal, KnowsAfterARestartWhatWasRecorded) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/journal";
  {
    auto journal = Journal::Open(path, "tag", 3);
    ASSERT_TRUE(journal.ok());
    ASSERT_TRUE((*journal)->Record(0, {0, 100}).ok());
    ASSERT_TRUE((*journal)->Record(2, {50, 60}).ok());
    ASSERT_TRUE((*journal)->Record(0, {100, 150}).ok());
    ASSERT_TRUE((*journal)->StartOver(2).ok());
    ASSERT_TRUE((*journal)->Record(2, {0, 10}).ok());
  }
  const auto journal = Journal::Open(path, "tag", 3);
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ((*journal)->Done(0).bytes(), 150u);
  EXPECT_EQ((*journal)->Done(1).bytes(), 0u);
  EXPECT_EQ((*journal)->Done(2).bytes(), 10u);
}

// Cut after every byte: a torn line is forgotten, and what is written after it counts again.
TEST(Journal, ATornEndCostsItsLastLineOnly) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/journal";
  {
    auto journal = Journal::Open(path, "tag", 1);
    ASSERT_TRUE(journal.ok());
    for (uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*journal)->Record(0, {i * 10, i * 10 + 10}).ok());
  }
  const std::string whole = ReadSmallFile(path).value();
  for (size_t length = 0; length <= whole.size(); ++length) {
    const std::string cut = whole.substr(0, length);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << cut;
    const auto lines = static_cast<uint64_t>(std::count(cut.begin(), cut.end(), '\n'));
    const uint64_t expected = lines == 0 ? 0 : (lines - 1) * 10;
    {
      const auto journal = Journal::Open(path, "tag", 1);
      ASSERT_TRUE(journal.ok());
      ASSERT_EQ((*journal)->Done(0).bytes(), expected) << length;
      ASSERT_TRUE((*journal)->Record(0, {1000, 1001}).ok());
    }
    const auto again = Journal::Open(path, "tag", 1);
    ASSERT_TRUE(again.ok());
    ASSERT_EQ((*again)->Done(0).bytes(), expected + 1) << length;
  }
}

TEST(Journal, OfAnotherPlanCountsForNothing) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/journal";
  {
    auto journal = Journal::Open(path, "one", 1);
    ASSERT_TRUE((*journal)->Record(0, {0, 100}).ok());
  }
  const auto journal = Journal::Open(path, "two", 1);
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ((*journal)->Done(0).bytes(), 0u);
}

}  // namespace
}  // namespace hearth::library
