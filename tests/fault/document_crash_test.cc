// The power fails at any moment of keeping documents: each is the newest that was acknowledged or the
// one that was being written, whole.
#include <gtest/gtest.h>

#include <iostream>

#include "crash_vfs.h"
#include "history_script.h"
#include "points.h"
#include "storage/document_file.h"

namespace hearth::fault {
namespace {

using storage::DocumentFile;

constexpr int64_t kChanges = 60;
constexpr int64_t kKeys = 5;

// Change number `i` of a run, from 1, is of this key; every seventh removes it.
std::string KeyOf(int64_t i) { return "key" + std::to_string(i % kKeys); }
bool IsRemoval(int64_t i) { return i % 7 == 0; }

std::string TextOf(uint64_t seed, int64_t i) {
  const auto size = static_cast<size_t>((seed * 7919 + static_cast<uint64_t>(i) * 104729) % 9000);
  std::string text = std::to_string(seed) + ":" + std::to_string(i) + ":";
  for (size_t at = 0; at < size; ++at) text += static_cast<char>('a' + (at * 31 + size) % 26);
  return text;
}

std::map<std::string, std::string> AfterChanges(uint64_t seed, int64_t changes) {
  std::map<std::string, std::string> all;
  for (int64_t i = 1; i <= changes; ++i) {
    if (IsRemoval(i)) all.erase(KeyOf(i));
    else all[KeyOf(i)] = TextOf(seed, i);
  }
  return all;
}

// Empty when the file has what `changes` changes left, or one more, and takes the next.
std::string Problem(const std::string& path, uint64_t seed, int64_t changes, const Clock* clock) {
  auto opened = DocumentFile::Open({path, "letter"}, clock);
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

class DocumentPowerLoss : public testing::Test {
 protected:
  ~DocumentPowerLoss() override {
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
      ChangeAll(seed);
      vfs_.TakeImagesOf("", 0, 0);
      for (const Image& image : vfs_.TakenImages()) {
        if (looked++ >= points) break;
        vfs_.Restore(dirs_.check(), image);
        const std::string problem =
            Problem(dirs_.check() + "/documents.db", seed, image.mark, &clock_);
        if (problem.empty()) continue;
        ++problems;
        if (expect_whole_) ADD_FAILURE() << "seed " << seed << ", operation " << image.op << ": "
                                         << problem;
      }
    }
    std::cout << looked << " power losses\n";
    return problems;
  }

  void ChangeAll(uint64_t seed) {
    for (int64_t i = 1; i <= kChanges;) {
      auto opened = DocumentFile::Open({dirs_.live() + "/documents.db", "letter"}, &clock_);
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

  CrashVfs& vfs_ = CrashVfs::Install();
  ScratchDirectories dirs_;
  storage::TestClock clock_;
  bool expect_whole_ = true;
};

TEST_F(DocumentPowerLoss, NoChangeThatWasAcknowledgedIsLost) { EXPECT_EQ(LoseAt(Points(400)), 0); }

TEST_F(DocumentPowerLoss, IsNoticedOnADiskThatIgnoresSyncs) {
  vfs_.IgnoreSyncs(true);
  expect_whole_ = false;
  EXPECT_GT(LoseAt(Points(100)), Points(100) / 4);
}

}  // namespace
}  // namespace hearth::fault
