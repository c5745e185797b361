// The power fails at any moment of what the history does to its file.
#include <chrono>
#include <functional>
#include <iostream>

#include "crash_vfs.h"
#include "history_script.h"
#include "points.h"

namespace hearth::fault {
namespace {

using storage::HistoryOptions;

// Of each image's own recovery the power fails once more in some of these.
constexpr int64_t kSecondLossOneIn = 8;
// Ticks between two flushes.
constexpr int64_t kTicksPerFlush = 20;

class HistoryPowerLoss : public testing::Test {
 protected:
  using Promise = HistoryScript::Promise;
  using Work = std::function<void(HistoryScript&)>;

  HistoryPowerLoss() : options_(SmallTiers()) { options_.path = dirs_.live() + "/history.db"; }
  ~HistoryPowerLoss() override {
    vfs_.TakeImagesOf("", 0, 0);
    (void)vfs_.TakenImages();
    vfs_.IgnoreSyncs(false);
  }

  // Runs `work` with new seeds until `points` images have been taken and looked at. `promise_of`
  // says what an image must hold, from its mark. Returns how many did not.
  int64_t LoseAt(int64_t points, const Work& work,
                 const std::function<Promise(const Image&)>& promise_of) {
    const auto begin = std::chrono::steady_clock::now();
    int64_t looked = 0;
    int64_t problems = 0;
    for (uint64_t seed = 1; looked < points; ++seed) {
      vfs_.Restore(dirs_.live(), {});
      HistoryScript script(seed, options_);
      vfs_.SetMark(0);
      prepare_(script);
      vfs_.TakeImagesOf(dirs_.live(), 0.08, seed);
      work(script);
      script.Close();
      vfs_.TakeImagesOf("", 0, 0);
      for (const Image& image : vfs_.TakenImages()) {
        if (looked++ >= points) break;
        problems += Look(script, image, promise_of(image), seed, looked % kSecondLossOneIn == 0);
      }
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    std::cout << looked << " power losses, " << static_cast<double>(looked) / spent.count()
              << " a second\n";
    return problems;
  }

  int64_t Look(HistoryScript& script, const Image& image, const Promise& promise,
               uint64_t seed, bool lose_again) {
    vfs_.Restore(dirs_.check(), image);
    if (lose_again) vfs_.TakeImagesOf(dirs_.check(), 0.02, image.op);
    std::string problem = script.Problem(dirs_.check(), promise);
    vfs_.TakeImagesOf("", 0, 0);
    for (const Image& second : vfs_.TakenImages()) {
      if (!problem.empty()) break;
      vfs_.Restore(dirs_.check(), second);
      problem = script.Problem(dirs_.check(), promise, /*hours_later=*/2);
      if (!problem.empty()) problem = "after a second loss: " + problem;
    }
    if (problem.empty()) return 0;
    if (expect_whole_) {
      ADD_FAILURE() << "seed " << seed << ", operation " << image.op << ", " << promise.last_tick
                    << " ticks flushed: " << problem;
    }
    return 1;
  }

  // Ticks and flushes; each flush that says ok is a promise.
  void TickAndFlush(HistoryScript& script, int flushes) {
    for (int i = 0; i < flushes; ++i) {
      for (int64_t t = 0; t < kTicksPerFlush; ++t) ASSERT_TRUE(script.Tick().ok());
      const Status flushed = script.Flush();
      ASSERT_TRUE(flushed.ok()) << flushed.ToString();
      vfs_.SetMark(script.ticks());
      if (i % 5 == 0) {
        ASSERT_TRUE(script.Look().ok());
      }
    }
  }

  static Promise Everything(const Image& image) { return {1, image.mark, false}; }

  CrashVfs& vfs_ = CrashVfs::Install();
  ScratchDirectories dirs_;
  HistoryOptions options_;
  std::function<void(HistoryScript&)> prepare_ = [](HistoryScript&) {};
  bool expect_whole_ = true;
};

TEST_F(HistoryPowerLoss, InsertingAndCompactingLosesNothingThatWasFlushed) {
  LoseAt(Points(600),
         [&](HistoryScript& script) {
           ASSERT_TRUE(script.Open().ok());
           TickAndFlush(script, 36);
           const auto stats = script.history().stats();
           for (const auto& tier : stats.tiers) {
             EXPECT_GT(tier.stored.rows, tier.stored.loose_rows) << tier.name << " has no chunks";
           }
         },
         Everything);
}

TEST_F(HistoryPowerLoss, RetentionTakesOnlyWhatIsOldEnough) {
  constexpr int64_t kKeepTicks = 200;
  options_.tiers[0].keep_s = kKeepTicks;
  options_.tiers[1].keep_s = 2 * kKeepTicks;
  options_.tiers[1].bytes_max = 4000;
  LoseAt(Points(400),
         [&](HistoryScript& script) {
           ASSERT_TRUE(script.Open().ok());
           TickAndFlush(script, 40);
           EXPECT_LT(script.history().stats().tiers[0].stored.rows, 2 * kKeepTicks);
         },
         [&](const Image& image) {
           // The flush that was under way may already have expired what it made too old.
           const int64_t first = image.mark + kTicksPerFlush + 1 - kKeepTicks;
           return Promise{std::max<int64_t>(1, first), image.mark, false};
         });
}

TEST_F(HistoryPowerLoss, AFileAtItsSizeLimitGivesUpItsOldestAndKeepsTheRest) {
  options_.bytes_max = int64_t{24} * 8192;
  int64_t dropped = 0;
  LoseAt(Points(250),
         [&](HistoryScript& script) {
           ASSERT_TRUE(script.Open().ok());
           TickAndFlush(script, 80);
           dropped += script.history().stats().frames_dropped;
         },
         [](const Image& image) {
           return Promise{1, image.mark, /*may_drop_oldest=*/true};
         });
  EXPECT_GT(dropped, 0);
}

TEST_F(HistoryPowerLoss, TheFileOfAnOlderReleaseIsTakenOverWholeOrNotYet) {
  constexpr int64_t kOldTicks = 500;
  int version = 0;
  prepare_ = [&](HistoryScript& script) {
    version = version % 2 + 1;
    const Status written = script.WriteOldFile(version, kOldTicks);
    ASSERT_TRUE(written.ok()) << written.ToString();
    vfs_.SetMark(kOldTicks);
  };
  LoseAt(Points(250),
         [&](HistoryScript& script) {
           const Status opened = script.Open();
           ASSERT_TRUE(opened.ok()) << opened.ToString();
           EXPECT_EQ(script.history().stats().tiers[0].stored.rows, kOldTicks);
           TickAndFlush(script, 6);
         },
         Everything);
}

TEST_F(HistoryPowerLoss, StartingAndStoppingLosesNothingThatWasFlushed) {
  LoseAt(Points(250),
         [&](HistoryScript& script) {
           for (int start = 0; start < 8; ++start) {
             ASSERT_TRUE(script.Open().ok());
             TickAndFlush(script, 3);
             for (int64_t t = 0; t < kTicksPerFlush; ++t) ASSERT_TRUE(script.Tick().ok());
             script.Close();
             vfs_.SetMark(script.ticks());
           }
         },
         Everything);
}

TEST_F(HistoryPowerLoss, IsNoticedOnADiskThatIgnoresSyncs) {
  expect_whole_ = false;
  vfs_.IgnoreSyncs(true);
  const int64_t problems = LoseAt(Points(100),
                                  [&](HistoryScript& script) {
                                    ASSERT_TRUE(script.Open().ok());
                                    TickAndFlush(script, 24);
                                  },
                                  Everything);
  EXPECT_GT(problems, Points(100) / 4) << "the tests of this file would not see a loss";
}

}  // namespace
}  // namespace hearth::fault
