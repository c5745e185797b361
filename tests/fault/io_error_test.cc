// Every call to the disk, and SQLite's allocations, fail in turn: once, and from then on. The history
// and the configuration report it, serve what they hold, and are whole once the fault has gone.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>

#include "crash_vfs.h"
#include "firmware/apply/config_store.h"
#include "history_script.h"

namespace hearth::fault {
namespace {

using apply::ConfigStore;
using Promise = HistoryScript::Promise;

// HEARTH_FAULT_SWEEP=all: each n instead of one in so many.
int64_t Stride(int64_t usual) {
  const char* text = std::getenv("HEARTH_FAULT_SWEEP");
  return text != nullptr && std::string(text) == "all" ? 1 : usual;
}

// A fault that can be switched on at its n-th occasion and off again, and says whether it happened.
struct Fault {
  std::function<void(int64_t n, bool sticky)> begin;
  std::function<int64_t()> end;
};

class FaultSweep : public testing::Test {
 protected:
  FaultSweep() {
    options_ = SmallTiers();
    options_.path = dirs_.live() + "/history.db";
    options_.tiers[0].chunk_frames = 64;
  }
  ~FaultSweep() override {
    vfs_.FailNothing();
    CrashVfs::FailMalloc(0, false);
  }

  Fault Disk(unsigned operations, bool no_space = false) {
    return {[=, this](int64_t n, bool sticky) { vfs_.Fail({operations, n, sticky, no_space}); },
            [this] {
              const int64_t fired = vfs_.fired();
              vfs_.FailNothing();
              return fired;
            }};
  }
  static Fault Malloc() {
    return {CrashVfs::FailMalloc, [] {
              const int64_t fired = CrashVfs::malloc_fired();
              CrashVfs::FailMalloc(0, false);
              return fired;
            }};
  }

  // n = 1, 1 + stride, ... until a run in which the fault did not happen. `run` gets n as its seed.
  void Sweep(const Fault& fault, int64_t stride, int64_t at_least,
             const std::function<void(const Fault&, int64_t n, bool sticky, int64_t& fired)>& run) {
    for (const bool sticky : {false, true}) {
      int64_t n = 1;
      for (;; n += stride) {
        SCOPED_TRACE("n = " + std::to_string(n) + (sticky ? " and all after it" : ""));
        int64_t fired = 0;
        run(fault, n, sticky, fired);
        if (HasFailure() || fired == 0) break;
      }
      std::cout << (sticky ? "from then on" : "once") << ": " << n << " occasions\n";
      EXPECT_GE(n, at_least);
      if (HasFailure()) return;
    }
  }

  void RunHistory(const Fault& fault, int64_t n, bool sticky, int64_t& fired) {
    vfs_.Restore(dirs_.live(), {});
    HistoryScript script(static_cast<uint64_t>(n), options_);
    Promise acknowledged;
    acknowledged.may_drop_oldest = may_drop_oldest_;
    fault.begin(n, sticky);
    bool open = script.Open().ok();
    if (!open && !sticky) open = script.Open().ok();
    if (open) {
      for (int i = 0; i < 9; ++i) TickFlushLook(script, acknowledged);
    }
    fired = fault.end();
    if (!open) {
      const Status opened = script.Open();
      ASSERT_TRUE(opened.ok()) << "after the fault: " << opened.ToString();
    }
    // What was acknowledged while the disk failed is on it, also where a sync failed in between.
    ExpectWhole(script, vfs_.TakeImage(dirs_.live(), static_cast<uint64_t>(n)), acknowledged);
    ASSERT_TRUE(script.Tick().ok());
    const Status healed = script.Flush();
    ASSERT_TRUE(healed.ok()) << "after the fault: " << healed.ToString();
    acknowledged.last_tick = script.ticks();
    EXPECT_EQ(script.history().stats().frames_lost, 0);
    EXPECT_EQ(script.history().stats().recovered, 0);
    ExpectWhole(script, vfs_.TakeImage(dirs_.live(), static_cast<uint64_t>(n) + 1), acknowledged);
    script.Close();
    ExpectWhole(script, vfs_.TakeImage(dirs_.live(), static_cast<uint64_t>(n) + 2), acknowledged);
  }

  void TickFlushLook(HistoryScript& script, Promise& acknowledged) {
    for (int t = 0; t < 20; ++t) ASSERT_TRUE(script.Tick().ok());
    const Status flushed = script.Flush();
    if (flushed.ok()) {
      acknowledged.last_tick = script.ticks();
    } else {
      EXPECT_EQ(script.history().stats().last_error, flushed.message());
    }
    ASSERT_TRUE(script.LookAtNewest().ok()) << "the newest samples are served from memory";
    (void)script.Look();  // older ones need the disk
  }

  void ExpectWhole(HistoryScript& script, const Image& image, const Promise& promise) {
    vfs_.Restore(dirs_.check(), image);
    EXPECT_EQ(script.Problem(dirs_.check(), promise), "");
  }

  struct ConfigPromise {
    std::vector<std::string> documents;  // by id - 1; empty: unknown
    int64_t active = 0;
  };

  static Status SaveAndApply(ConfigStore& store, int64_t i, ConfigPromise& promise) {
    HEARTH_ASSIGN_OR_RETURN(const int64_t newest, store.newest());
    const std::string document = "document " + std::to_string(i) + std::string(300, 'x');
    HEARTH_ASSIGN_OR_RETURN(const int64_t id, store.Save(document, "a", "", newest));
    promise.documents.resize(static_cast<size_t>(id));
    promise.documents.back() = document;
    const auto interrupted = store.EndInterrupted();
    if (!interrupted.ok()) return interrupted.status();
    HEARTH_ASSIGN_OR_RETURN(const int64_t apply, store.BeginApply(id, "a"));
    HEARTH_RETURN_IF_ERROR(store.Confirm(apply, "a", "it serves", "{}"));
    promise.active = id;
    return Status::Ok();
  }

  void RunConfig(const Fault& fault, int64_t n, bool sticky, int64_t& fired) {
    const std::string path = dirs_.live() + "/config.db";
    vfs_.Restore(dirs_.live(), {});
    storage::TestClock clock;
    ConfigPromise promise;
    fault.begin(n, sticky);
    auto opened = ConfigStore::Open(path, &clock);
    for (int64_t i = 0; opened.ok() && i < 6; ++i) (void)SaveAndApply(**opened, i, promise);
    fired = fault.end();
    if (!opened.ok()) opened = ConfigStore::Open(path, &clock);
    ASSERT_TRUE(opened.ok()) << "after the fault: " << opened.status().ToString();
    const Status healed = SaveAndApply(**opened, 100, promise);
    ASSERT_TRUE(healed.ok()) << "after the fault: " << healed.ToString();
    EXPECT_EQ((*opened)->set_aside(), "");
    vfs_.Restore(dirs_.check(), vfs_.TakeImage(dirs_.live(), static_cast<uint64_t>(n)));
    auto again = ConfigStore::Open(dirs_.check() + "/config.db", &clock);
    ASSERT_TRUE(again.ok()) << again.status().ToString();
    const auto active = (*again)->active();
    ASSERT_TRUE(active.ok()) << active.status().ToString();
    EXPECT_EQ(*active, promise.active);
    for (size_t i = 0; i < promise.documents.size(); ++i) {
      if (promise.documents[i].empty()) continue;
      const auto revision = (*again)->Get(static_cast<int64_t>(i) + 1);
      ASSERT_TRUE(revision.ok()) << revision.status().ToString();
      EXPECT_EQ(revision->document, promise.documents[i]);
    }
  }

  auto HistoryRun() {
    return [this](const Fault& fault, int64_t n, bool sticky, int64_t& fired) {
      RunHistory(fault, n, sticky, fired);
    };
  }
  auto ConfigRun() {
    return [this](const Fault& fault, int64_t n, bool sticky, int64_t& fired) {
      RunConfig(fault, n, sticky, fired);
    };
  }

  CrashVfs& vfs_ = CrashVfs::Install();
  ScratchDirectories dirs_;
  storage::HistoryOptions options_;
  bool may_drop_oldest_ = false;
};

TEST_F(FaultSweep, TheHistoryOutlivesEveryFailedWrite) {
  Sweep(Disk(kWrite), Stride(7), 100, HistoryRun());
}
TEST_F(FaultSweep, TheHistoryOutlivesEveryWriteWithoutSpace) {
  may_drop_oldest_ = true;
  Sweep(Disk(kWrite, /*no_space=*/true), Stride(9), 100, HistoryRun());
}
TEST_F(FaultSweep, TheHistoryOutlivesEveryFailedSync) {
  Sweep(Disk(kSync), 1, 15, HistoryRun());
}
TEST_F(FaultSweep, TheHistoryOutlivesEveryFailedRead) {
  Sweep(Disk(kRead), Stride(3), 20, HistoryRun());
}
TEST_F(FaultSweep, TheHistoryOutlivesEveryFailedOpenTruncationAndDeletion) {
  Sweep(Disk(kOpen | kTruncate | kDelete), 1, 3, HistoryRun());
}
TEST_F(FaultSweep, TheHistoryOutlivesEveryFailedAllocation) {
  Sweep(Malloc(), Stride(499), 1000, HistoryRun());
}
TEST_F(FaultSweep, TheConfigurationOutlivesEveryFailedCallToTheDisk) {
  Sweep(Disk(kAnyOperation), 1, 50, ConfigRun());
}
TEST_F(FaultSweep, TheConfigurationOutlivesEveryFailedAllocation) {
  Sweep(Malloc(), Stride(23), 500, ConfigRun());
}

}  // namespace
}  // namespace hearth::fault
