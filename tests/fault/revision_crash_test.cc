// The power fails at any moment of keeping a configuration.
#include "points.h"
#include "power_loss.h"
#include "storage/revision_file.h"

namespace hearth::fault {
namespace {

using storage::RevisionFile;

constexpr int64_t kSaves = 60;

class RevisionPowerLoss : public PowerLossTest {
 protected:
  RevisionPowerLoss() : PowerLossTest("config.db") {}

  // Every revision up to `saved`, whole; and the next is taken.
  std::string Problem(const std::string& path, uint64_t seed, int64_t saved) override {
    auto opened = RevisionFile::Open(path, &clock_);
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
      if (revision.id != id || revision.document != TextOf(seed, id)) {
        return "revision " + std::to_string(id) + " is not what was saved";
      }
      --id;
    }
    const auto next = file.Save(TextOf(seed, newest + 1), "after", "", newest);
    return next.ok() ? "" : "Save: " + next.status().ToString();
  }

  void Change(const std::string& path, uint64_t seed) override {
    for (int64_t id = 1; id <= kSaves;) {
      auto opened = RevisionFile::Open(path, &clock_);
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      for (const int64_t end = id + kSaves / 3; id < end; ++id) {
        const auto saved = (*opened)->Save(TextOf(seed, id), "author", "note", id - 1);
        ASSERT_TRUE(saved.ok()) << saved.status().ToString();
        ASSERT_EQ(*saved, id);
        vfs_.SetMark(id);
      }
    }
  }
};

TEST_F(RevisionPowerLoss, NoSaveThatWasAcknowledgedIsLost) { EXPECT_EQ(LoseAt(Points(400)), 0); }

TEST_F(RevisionPowerLoss, IsNoticedOnADiskThatIgnoresSyncs) {
  vfs_.IgnoreSyncs(true);
  expect_whole_ = false;
  EXPECT_GT(LoseAt(Points(100)), Points(100) / 4);
}

}  // namespace
}  // namespace hearth::fault
