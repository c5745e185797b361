// The power fails at any moment of keeping documents: each is the newest that was acknowledged or the
// one that was being written, whole.
#include <map>
#include <optional>

#include "points.h"
#include "power_loss.h"
#include "storage/document_file.h"

namespace hearth::fault {
namespace {

using storage::DocumentFile;

constexpr int64_t kChanges = 60;
constexpr int64_t kKeys = 5;

// Change number `i` of a run, from 1, is of this key; every seventh removes it.
std::string KeyOf(int64_t i) { return "key" + std::to_string(i % kKeys); }
bool IsRemoval(int64_t i) { return i % 7 == 0; }

class DocumentPowerLoss : public PowerLossTest {
 protected:
  DocumentPowerLoss() : PowerLossTest("documents.db") {}

  static std::map<std::string, std::string> AfterChanges(uint64_t seed, int64_t changes) {
    std::map<std::string, std::string> all;
    for (int64_t i = 1; i <= changes; ++i) {
      if (IsRemoval(i)) all.erase(KeyOf(i));
      else all[KeyOf(i)] = TextOf(seed, i);
    }
    return all;
  }

  // What was acknowledged, or one change more; and the next is taken.
  std::string Problem(const std::string& path, uint64_t seed, int64_t changes) override {
    auto opened = DocumentFile::Open({path, "letter"}, &clock_);
    if (!opened.ok()) return "Open: " + opened.status().ToString();
    if (!(*opened)->set_aside().empty()) return (*opened)->set_aside();
    std::map<std::string, std::string> all;
    const Status visited = (*opened)->ForEach(
        [&](const storage::Document& document) { all[document.key] = document.text; });
    if (!visited.ok()) return visited.ToString();
    if (all != AfterChanges(seed, changes) && all != AfterChanges(seed, changes + 1)) {
      return "not what " + std::to_string(changes) + " changes left";
    }
    const auto next = (*opened)->Put("next", "text", 0);
    return next.ok() ? "" : "Put: " + next.status().ToString();
  }

  void Change(const std::string& path, uint64_t seed) override {
    for (int64_t i = 1; i <= kChanges;) {
      auto opened = DocumentFile::Open({path, "letter"}, &clock_);
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      for (const int64_t end = i + kChanges / 3; i < end; ++i) {
        const Status changed =
            IsRemoval(i) ? (*opened)->Remove(KeyOf(i))
                         : (*opened)->Put(KeyOf(i), TextOf(seed, i), std::nullopt).status();
        ASSERT_TRUE(changed.ok()) << changed.ToString();
        vfs_.SetMark(i);
      }
    }
  }
};

TEST_F(DocumentPowerLoss, NoChangeThatWasAcknowledgedIsLost) { EXPECT_EQ(LoseAt(Points(400)), 0); }

TEST_F(DocumentPowerLoss, IsNoticedOnADiskThatIgnoresSyncs) {
  vfs_.IgnoreSyncs(true);
  expect_whole_ = false;
  EXPECT_GT(LoseAt(Points(100)), Points(100) / 4);
}

}  // namespace
}  // namespace hearth::fault
