// The power fails at any moment while a small database is changed: the fixture of the tests that say
// what must be there afterwards.
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "crash_vfs.h"
#include "history_script.h"

namespace hearth::fault {

class PowerLossTest : public testing::Test {
 protected:
  explicit PowerLossTest(std::string file) : file_(std::move(file)) {}
  ~PowerLossTest() override {
    vfs_.TakeImagesOf("", 0, 0);
    (void)vfs_.TakenImages();
    vfs_.IgnoreSyncs(false);
  }

  // Changes the database at `path` as the seed says; vfs_.SetMark(n) once change n was acknowledged.
  virtual void Change(const std::string& path, uint64_t seed) = 0;

  // Why the database at `path` is not what `mark` acknowledged changes left; empty when it is.
  virtual std::string Problem(const std::string& path, uint64_t seed, int64_t mark) = 0;

  // Of so many images, how many have a problem. A failure each, where whole ones are expected.
  int64_t LoseAt(int64_t points) {
    int64_t looked = 0;
    int64_t problems = 0;
    for (uint64_t seed = 1; looked < points; ++seed) {
      vfs_.Restore(dirs_.live(), {});
      vfs_.SetMark(0);
      vfs_.TakeImagesOf(dirs_.live(), 0.1, seed);
      Change(dirs_.live() + "/" + file_, seed);
      vfs_.TakeImagesOf("", 0, 0);
      for (const Image& image : vfs_.TakenImages()) {
        if (looked++ >= points) break;
        vfs_.Restore(dirs_.check(), image);
        const std::string problem = Problem(dirs_.check() + "/" + file_, seed, image.mark);
        if (problem.empty()) continue;
        ++problems;
        if (expect_whole_) ADD_FAILURE() << "seed " << seed << ", operation " << image.op << ": "
                                         << problem;
      }
    }
    std::cout << looked << " power losses\n";
    return problems;
  }

  // A few bytes to several pages; follows from seed and number.
  static std::string TextOf(uint64_t seed, int64_t number) {
    const auto size =
        static_cast<size_t>((seed * 7919 + static_cast<uint64_t>(number) * 104729) % 9000);
    std::string text = std::to_string(seed) + ":" + std::to_string(number) + ":";
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + (i * 31 + size) % 26);
    return text;
  }

  CrashVfs& vfs_ = CrashVfs::Install();
  ScratchDirectories dirs_;
  storage::TestClock clock_;
  bool expect_whole_ = true;

 private:
  const std::string file_;
};

}  // namespace hearth::fault
