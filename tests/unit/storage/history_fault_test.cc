// What a crash, a broken file and a full disk may cost.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>

#include "history_fixture.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

size_t CountSetAside(const std::string& directory) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".corrupt-") != std::string::npos && !name.ends_with("-wal")) ++count;
  }
  return count;
}

void Overwrite(const std::string& path, std::streamoff at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

TEST_F(HistoryTest, AKilledProcessLosesOnlyWhatItHadNotCommitted) {
  const int64_t start = clock_.wall_ms;
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Open();
    const SeriesId id = Counter("c_total");
    for (int i = 1; i <= 100; ++i) Tick({{id, 1.0 * i}});
    Flush();
    for (int i = 101; i <= 130; ++i) Tick({{id, 1.0 * i}});
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Open();
  const auto samples = Samples("c_total");
  ASSERT_EQ(samples.size(), 100u);
  EXPECT_EQ(samples.back().time_ms, start + 100'000);
  EXPECT_EQ(samples.back().value, 100);
  EXPECT_EQ(history_->stats().recovered, 0);
}

TEST_F(HistoryTest, CommitsByItselfWheneverTheIntervalHasPassed) {
  options_.commit_interval_s = 10;
  Open();
  const SeriesId id = Gauge("g");
  for (int i = 0; i <= 10; ++i) Tick({{id, 1}});
  for (int i = 0; i < 1000 && history_->stats().commits == 0; ++i) ::usleep(10'000);
  EXPECT_EQ(history_->stats().tiers[0].stored.rows, 11);
}

TEST_F(HistoryTest, ABrokenFileIsSetAsideAndAFreshOneBegun) {
  for (int round = 0; round < 2; ++round) {
    Open();
    const SeriesId id = Gauge("g");
    for (int i = 0; i < 50; ++i) Tick({{id, 1}});
    history_.reset();
    Overwrite(options_.path, 0, std::string(4096, '\x5a'));
  }
  Open();
  EXPECT_EQ(history_->stats().recovered, 1);
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"history_recovered"}));
  EXPECT_TRUE(Samples("g").empty());
  EXPECT_GE(CountSetAside(directory_), 1u);
  Tick({{Gauge("g"), 2}});
  Flush();
  Open();
  EXPECT_EQ(Samples("g").size(), 1u);
  EXPECT_EQ(history_->stats().recovered, 0);
}

TEST_F(HistoryTest, ADamagedPageIsNoticedAtTheStart) {
  Open();
  const SeriesId id = Gauge("g");
  for (int i = 0; i < 3000; ++i) Tick({{id, 1.0 / (i + 1)}});
  history_.reset();
  Overwrite(options_.path, 5 * 8192, std::string(8192, '\xff'));
  Open();
  EXPECT_EQ(history_->stats().recovered, 1);
}

TEST_F(HistoryTest, ATruncatedOrEmptyFileNeverStopsTheStart) {
  for (const double part : {0.0, 0.3, 0.7}) {
    Open();
    const SeriesId id = Gauge("g");
    for (int i = 0; i < 2000; ++i) Tick({{id, 1.0 / (i + 1)}});
    history_.reset();
    const auto size = static_cast<double>(fs::file_size(options_.path));
    fs::resize_file(options_.path, static_cast<uintmax_t>(part * size));
    Open();
    Tick({{Gauge("g"), 1}});
    Flush();
  }
}

TEST_F(HistoryTest, AFrameThatFailsItsChecksumIsAGapAndAnEvent) {
  options_.tail_s = 10;
  Open();
  const SeriesId id = Gauge("g");
  for (int i = 0; i < 300; ++i) Tick({{id, 1.0 * i}});
  history_.reset();
  {
    Connection db = *Connection::Open(options_.path, Connection::Mode::kReadWrite);
    ASSERT_TRUE(db.Execute("UPDATE raw SET frame = x'0100ff00112233' WHERE ts = " +
                           std::to_string(clock_.wall_ms - 200'000)).ok());
  }
  Open();
  const auto samples = Samples("g");
  EXPECT_LT(samples.size(), 300u);
  EXPECT_GE(samples.size(), 240u);  // one keyframe's worth at most
  for (const auto& sample : samples) {
    EXPECT_EQ(sample.value, 299 - static_cast<double>(clock_.wall_ms - sample.time_ms) / 1000);
  }
  (void)Samples("g");
  EXPECT_EQ(history_->stats().frames_broken, 1);
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"history_frame_broken"}));
}

TEST_F(HistoryTest, RefusesTheFileOfANewerReleaseAndLeavesItAlone) {
  Open();
  Tick({{Gauge("g"), 1}});
  history_.reset();
  int64_t version = 0;
  {
    Connection db = *Connection::Open(options_.path, Connection::Mode::kReadWrite);
    version = *db.QueryInt("PRAGMA user_version");
    ASSERT_TRUE(db.Execute("PRAGMA user_version = 99").ok());
  }
  const auto opened = History::Open(options_, &clock_);
  EXPECT_EQ(opened.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(opened.status().message().find("99"), std::string::npos);
  EXPECT_EQ(CountSetAside(directory_), 0u);
  {
    Connection db = *Connection::Open(options_.path, Connection::Mode::kReadWrite);
    EXPECT_EQ(*db.QueryInt("SELECT count(*) FROM raw"), 1);
    ASSERT_TRUE(db.Execute("PRAGMA user_version = " + std::to_string(version)).ok());
  }
  Open();
  EXPECT_EQ(Samples("g").size(), 1u);
}

TEST_F(HistoryTest, AtItsSizeLimitItGivesUpTheOldestFramesFirst) {
  options_.bytes_max = 400 * 1024;
  options_.tail_s = 10;
  Open();
  std::vector<SeriesId> ids;
  for (int s = 0; s < 20; ++s) ids.push_back(Gauge("g" + std::to_string(s)));
  for (int i = 1; i <= 6000; ++i) {
    Values values;
    for (const SeriesId id : ids) values.emplace_back(id, 1.0 / (i + static_cast<int>(id)));
    Tick(values);
    if (i % 60 == 0) Flush();
  }
  const HistoryStats stats = history_->stats();
  EXPECT_GT(stats.frames_dropped, 0);
  EXPECT_LE(fs::file_size(options_.path), 400u * 1024);
  EXPECT_GT(stats.tiers[0].stored.oldest_ms, clock_.wall_ms - 6000 * 1000);
  EXPECT_EQ(Samples("g0").back().value, 1.0 / 6000);
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"history_full"}));
}

// A file size limit of the process stands for a disk without space: write(2) fails with EFBIG.
TEST_F(HistoryTest, WithoutDiskSpaceItGoesOnInMemoryAndCatchesUpLater) {
  Open();
  const SeriesId id = Gauge("g");
  Tick({{id, 0}});
  Flush();
  ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const struct rlimit tight = {4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  for (int i = 1; i <= 200; ++i) {
    Tick({{id, 1.0 * i}});
    if (i % 60 == 0) {
      EXPECT_FALSE(history_->Flush().ok());
    }
  }
  const size_t visible = Samples("g").size();
  const HistoryStats full = history_->stats();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(visible, 201u);
  EXPECT_EQ(full.write_errors, 3);
  EXPECT_FALSE(full.last_error.empty());
  Flush();
  EXPECT_TRUE(history_->stats().last_error.empty());
  Open();
  EXPECT_EQ(Samples("g").size(), 201u);
}

// A file system of 8 MiB that another program fills. Needs the right to mount one.
TEST_F(HistoryTest, OnAFullDiskItGoesOnAndRecoversWithinACommitOfSpaceReturning) {
  const std::string disk = directory_ + "/disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=8m") != 0) {
    GTEST_SKIP() << "cannot mount a tmpfs: " << std::strerror(errno);
  }
  struct Unmount {
    const std::string& disk;
    ~Unmount() { (void)::umount2(disk.c_str(), MNT_DETACH); }
  } unmount{disk};
  options_.path = disk + "/history.db";
  options_.tail_s = 30;
  Open();
  std::mt19937_64 random(53);
  std::vector<SeriesId> ids;
  for (int s = 0; s < 40; ++s) ids.push_back(Gauge("g" + std::to_string(s)));
  const auto minute = [&] {
    for (int i = 0; i < 60; ++i) {
      Values values;
      for (const SeriesId id : ids) values.emplace_back(id, static_cast<double>(random()));
      Tick(values);
    }
  };
  for (int i = 0; i < 20; ++i) {
    minute();
    Flush();
  }
  for (int round = 0; round < 5; ++round) {
    const std::string other = disk + "/other";
    {
      std::ofstream file(other, std::ios::binary);
      const std::string block(4096, 'x');
      while (file.write(block.data(), 4096).flush()) continue;
    }
    for (int i = 0; i < 20; ++i) {
      minute();
      (void)history_->Flush();
      ASSERT_EQ(Samples("g0").back().time_ms, clock_.wall_ms);
    }
    EXPECT_EQ(history_->stats().recovered, 0);
    fs::remove(other);
    minute();
    Flush();
    EXPECT_TRUE(history_->stats().last_error.empty());
    EXPECT_TRUE(fs::exists(options_.path + ".ballast")) << round;
    EXPECT_LE(fs::file_size(options_.path), size_t{8 << 20} / 3);
  }
  const auto before = Samples("g0");
  EXPECT_EQ(history_->stats().frames_lost, 0);
  Open();
  EXPECT_EQ(history_->stats().recovered, 0);
  EXPECT_EQ(Samples("g0").size(), before.size());
  history_.reset();
}

TEST_F(HistoryTest, MemoryIsBoundedWhileNothingCanBeWritten) {
  options_.tail_bytes_max = 100 * (sizeof(double) + sizeof(Frame));
  Open();
  const SeriesId id = Gauge("g");
  for (int i = 1; i <= 500; ++i) Tick({{id, 1.0 * i}});
  const auto samples = Samples("g", {0, clock_.wall_ms, 0, 0});
  EXPECT_GE(history_->stats().frames_lost, 400);
  EXPECT_EQ(samples.back().value, 500);
  EXPECT_EQ(samples[samples.size() - 100].value, 401);
}

}  // namespace
}  // namespace hearth::storage
