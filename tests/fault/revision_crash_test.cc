// The power fails at any moment of keeping a configuration.
#include <gtest/gtest.h>

#include <iostream>

#include "crash_vfs.h"
#include "history_script.h"
#include "points.h"
#include "storage/revision_file.h"

namespace hearth::fault {
namespace {

using storage::RevisionFile;

constexpr int64_t kSaves = 60;

// A few bytes to several pages; follows from seed and id.
std::string Document(uint64_t seed, int64_t id) {
  const auto size = static_cast<size_t>((seed * 7919 + static_cast<uint64_t>(id) * 104729) % 9000);
  std::string text = std::to_string(seed) + ":" + std::to_string(id) + ":";
  for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + (i * 31 + size) % 26);
  return text;
}

// Empty when the file has every revision up to `saved`, whole, and takes the next.
std::string Problem(const std::string& path, uint64_t seed, int64_t saved, const Clock* clock) {
  auto opened = RevisionFile::Open(path, clock);
  if (!opened.ok()) return "Open: " + opened.status().ToString();
  RevisionFile& file = **opened;
  if (!file.set_aside().empty()) return file.set_aside();
  const auto all = file.List(10 * kSaves);
  if (!all.ok()) return all.status().ToString();
  const auto newest = static_cast<int64_t>(all->size());
  if (newest < saved) {
    return "revision " + std::to_string(saved) + " was saved, the newest is " +
           std::to_string(newest);
  }
  for (int64_t id = newest; const storage::Revision& revision : *all) {
    if (revision.id != id || revision.document != Document(seed, id)) {
      return "revision " + std::to_string(id) + " is not what was saved";
    }
    --id;
  }
  const auto next = file.Save(Document(seed, newest + 1), "after", "", newest);
  return next.ok() ? "" : "Save: " + next.status().ToString();
}

class RevisionPowerLoss : public testing::Test {
 protected:
  ~RevisionPowerLoss() override {
    vfs_.TakeImagesOf("", 0, 0);
    (void)vfs_.TakenImages();
    vfs_.IgnoreSyncs(false);
  }

  // Of the images, how many are not whole.
  int64_t LoseAt(int64_t points) {
    int64_t looked = 0;
    int64_t problems = 0;
    for (uint64_t seed = 1; looked < points; ++seed) {
      vfs_.Restore(dirs_.live(), {});
      vfs_.SetMark(0);
      vfs_.TakeImagesOf(dirs_.live(), 0.1, seed);
      SaveAll(seed);
      vfs_.TakeImagesOf("", 0, 0);
      for (const Image& image : vfs_.TakenImages()) {
        if (looked++ >= points) break;
        vfs_.Restore(dirs_.check(), image);
        const std::string problem =
            Problem(dirs_.check() + "/config.db", seed, image.mark, &clock_);
        if (problem.empty()) continue;
        ++problems;
        if (expect_whole_) ADD_FAILURE() << "seed " << seed << ", operation " << image.op << ": "
                                         << problem;
      }
    }
    std::cout << looked << " power losses\n";
    return problems;
  }

  void SaveAll(uint64_t seed) {
    for (int64_t id = 1; id <= kSaves;) {
      auto opened = RevisionFile::Open(dirs_.live() + "/config.db", &clock_);
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      for (const int64_t end = id + kSaves / 3; id < end; ++id) {
        const auto saved = (*opened)->Save(Document(seed, id), "author", "note", id - 1);
        ASSERT_TRUE(saved.ok()) << saved.status().ToString();
        ASSERT_EQ(*saved, id);
        vfs_.SetMark(id);
      }
    }
  }

  CrashVfs& vfs_ = CrashVfs::Install();
  ScratchDirectories dirs_;
  storage::TestClock clock_;
  bool expect_whole_ = true;
};

TEST_F(RevisionPowerLoss, NoSaveThatWasAcknowledgedIsLost) { EXPECT_EQ(LoseAt(Points(400)), 0); }

TEST_F(RevisionPowerLoss, IsNoticedOnADiskThatIgnoresSyncs) {
  vfs_.IgnoreSyncs(true);
  expect_whole_ = false;
  EXPECT_GT(LoseAt(Points(100)), Points(100) / 4);
}

}  // namespace
}  // namespace hearth::fault
