// Copies of a history: whole while it is written to, refused when they are not one, and never
// half-way in its place.
#include "storage/backup.h"

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "history_fixture.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBytesMax = int64_t{64} << 20;

class BackupTest : public HistoryTest {
 protected:
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  // A history whose gauge "g" has the values 0, 1, ... `count` - 1, all on disk.
  void Make(int count) {
    Open();
    const SeriesId id = Gauge("g");
    for (int i = 0; i < count; ++i) Tick({{id, 1.0 * i}});
    Flush();
  }
  void MakeCopy(const std::string& name) {
    const Status copied = CopyHistory(options_.path, Path(name));
    ASSERT_TRUE(copied.ok()) << copied.ToString();
  }
  std::vector<promql::Sample> SamplesOf(const std::string& path) {
    HistoryOptions options = options_;
    options.path = path;
    auto opened = History::Open(options, &clock_);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    auto series = (*opened)->Select(Named("g"), Everything());
    EXPECT_TRUE(series.ok()) << series.status().ToString();
    if (!series.ok() || series->empty()) return {};
    return (*series)[0].samples;
  }
  void Sql(const std::string& path, const std::string& sql) {
    auto connection = Connection::Open(path, Connection::Mode::kReadWrite);
    ASSERT_TRUE(connection.ok());
    const Status run = connection->Execute(sql);
    ASSERT_TRUE(run.ok()) << run.ToString();
  }
  // Writes over a part of the file.
  void Scratch(const std::string& path, std::streamoff offset, size_t bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(offset);
    file << std::string(bytes, '\x5a');
  }
  std::vector<std::string> Names(const std::string& part) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      const std::string name = entry.path().filename().string();
      if (name.find(part) != std::string::npos) names.push_back(name);
    }
    return names;
  }
};

TEST_F(BackupTest, ACopyHasEverySampleOfTheHistory) {
  Make(1500);  // chunks and frames
  MakeCopy("copy.db");
  EXPECT_TRUE(CheckHistoryCopy(Path("copy.db"), kBytesMax).ok());
  EXPECT_FALSE(fs::exists(Path("copy.db-wal")));
  const auto copied = SamplesOf(Path("copy.db"));
  const auto original = Samples("g");
  ASSERT_EQ(copied.size(), original.size());
  for (size_t i = 0; i < copied.size(); ++i) {
    EXPECT_EQ(copied[i].time_ms, original[i].time_ms);
    EXPECT_EQ(copied[i].value, original[i].value);
  }
}

TEST_F(BackupTest, ACopyIsTakenWhileTheHistoryIsWrittenTo) {
  Make(10);
  const SeriesId id = Gauge("g");
  std::atomic<bool> copying = true;
  std::thread copier([&] {
    for (int i = 0; i < 20; ++i) {
      const std::string name = "copy" + std::to_string(i) + ".db";
      MakeCopy(name);
      EXPECT_TRUE(CheckHistoryCopy(Path(name), kBytesMax).ok());
    }
    copying = false;
  });
  while (copying) {
    Tick({{id, 1}});
    Flush();
  }
  copier.join();
  EXPECT_EQ(history_->stats().write_errors, 0);
}

TEST_F(BackupTest, ACopyDoesNotOverwriteAnything) {
  Make(10);
  std::ofstream(Path("mine.txt")) << "mine";
  EXPECT_EQ(CopyHistory(options_.path, Path("mine.txt")).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(fs::file_size(Path("mine.txt")), 4u);
  EXPECT_EQ(CopyHistory(Path("nothing.db"), Path("copy.db")).code(), StatusCode::kNotFound);
}

TEST_F(BackupTest, WhatIsNoHistoryIsRefused) {
  Make(10);
  std::ofstream(Path("text")) << std::string(10000, 'x');
  EXPECT_EQ(CheckHistoryCopy(Path("text"), kBytesMax).code(), StatusCode::kDataLoss);
  std::ofstream(Path("empty")).flush();
  EXPECT_EQ(CheckHistoryCopy(Path("empty"), kBytesMax).code(), StatusCode::kFailedPrecondition);
  Sql(Path("foreign.db"), "PRAGMA application_id = 42; CREATE TABLE series(id)");
  EXPECT_EQ(CheckHistoryCopy(Path("foreign.db"), kBytesMax).code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckHistoryCopy(Path("absent.db"), kBytesMax).code(), StatusCode::kNotFound);
}

TEST_F(BackupTest, ANewerReleasesFileIsRefused) {
  Make(10);
  MakeCopy("copy.db");
  Sql(Path("copy.db"), "PRAGMA user_version = 999");
  const Status checked = CheckHistoryCopy(Path("copy.db"), kBytesMax);
  EXPECT_EQ(checked.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(checked.message().find("999"), std::string::npos) << checked.message();
}

TEST_F(BackupTest, ADamagedFileIsRefusedWhereverTheDamageIs) {
  Make(1500);
  MakeCopy("whole.db");
  const auto bytes = static_cast<std::streamoff>(fs::file_size(Path("whole.db")));
  int refused = 0;
  int tried = 0;
  // The middle of each page is either rows, which only their own checksums guard, or structure.
  for (std::streamoff page = 0; page < bytes; page += 8192) {
    fs::copy_file(Path("whole.db"), Path("damaged.db"), fs::copy_options::overwrite_existing);
    Scratch(Path("damaged.db"), page, 64);  // a page's header
    ++tried;
    if (!CheckHistoryCopy(Path("damaged.db"), kBytesMax).ok()) ++refused;
  }
  EXPECT_GE(tried, 10);
  // A page in the middle of a long row has no header; all others are found out.
  EXPECT_GE(refused * 2, tried);
  fs::resize_file(Path("whole.db"), static_cast<uintmax_t>(bytes / 2));
  EXPECT_EQ(CheckHistoryCopy(Path("whole.db"), kBytesMax).code(), StatusCode::kDataLoss);
}

TEST_F(BackupTest, AFileBeyondTheLimitIsRefused) {
  Make(10);
  MakeCopy("copy.db");
  const Status checked = CheckHistoryCopy(Path("copy.db"), 1000);
  EXPECT_EQ(checked.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(checked.message().find("1000"), std::string::npos);
}

TEST_F(BackupTest, ARestoreTakesPlaceAtTheNextStartAndKeepsWhatWasThere) {
  Make(100);
  MakeCopy("copy.db");
  const SeriesId id = Gauge("g");
  for (int i = 0; i < 50; ++i) Tick({{id, -1}});
  ASSERT_TRUE(StageRestore(Path("copy.db"), options_.path, kBytesMax).ok());
  EXPECT_EQ(Samples("g").size(), 150u);  // not yet
  history_.reset();
  const auto taken = TakeRestore(options_.path, kBytesMax);
  ASSERT_TRUE(taken.ok()) << taken.status().ToString();
  ASSERT_TRUE(taken->has_value());
  EXPECT_EQ(SamplesOf(options_.path).size(), 100u);
  const auto before = Names(".before-restore-");
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(SamplesOf(Path(before[0])).size(), 150u);
  const auto again = TakeRestore(options_.path, kBytesMax);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->has_value());
}

TEST_F(BackupTest, ARestoreThatWasCutShortGoesOnAtTheNextStart) {
  Make(100);
  MakeCopy("copy.db");
  ASSERT_TRUE(StageRestore(Path("copy.db"), options_.path, kBytesMax).ok());
  history_.reset();
  // Killed after the old history was moved, before the new one was.
  fs::rename(options_.path, options_.path + ".before-restore-20260101T000000Z");
  std::ofstream(options_.path + "-wal") << "of the old one";
  const auto taken = TakeRestore(options_.path, kBytesMax);
  ASSERT_TRUE(taken.ok()) << taken.status().ToString();
  ASSERT_TRUE(taken->has_value());
  EXPECT_EQ(SamplesOf(options_.path).size(), 100u);
}

TEST_F(BackupTest, ADamagedRestoreLeavesTheHistoryAsItIs) {
  Make(100);
  MakeCopy("copy.db");
  EXPECT_FALSE(StageRestore(Path("copy.db"), options_.path, 1000).ok());
  EXPECT_TRUE(Names(".restore").empty());
  ASSERT_TRUE(StageRestore(Path("copy.db"), options_.path, kBytesMax).ok());
  history_.reset();
  Scratch(options_.path + ".restore", 0, 5000);  // the disk lost it meanwhile
  const auto taken = TakeRestore(options_.path, kBytesMax);
  ASSERT_TRUE(taken.ok()) << taken.status().ToString();
  ASSERT_TRUE(taken->has_value());
  EXPECT_NE((*taken)->find("not restored"), std::string::npos) << **taken;
  EXPECT_EQ(SamplesOf(options_.path).size(), 100u);
  EXPECT_EQ(Names(".restore-refused-").size(), 1u);
}

TEST_F(BackupTest, TemporaryFilesDoNotStay) {
  {
    auto file = TemporaryFile::In(directory_);
    ASSERT_TRUE(file.ok());
    struct stat status {};
    ASSERT_EQ(::stat(file->path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
  }
  EXPECT_TRUE(Names("temporary").empty());
  std::ofstream(Path(".hearth-temporary-aBcDeF")) << "left by a crash";
  RemoveTemporaryFiles(directory_);
  EXPECT_TRUE(Names("temporary").empty());
}

TEST_F(BackupTest, WantOfSpaceIsToldWithItsFigures) {
  EXPECT_TRUE(CheckRoomFor(directory_, 1000).ok());
  const Status none = CheckRoomFor(directory_, int64_t{1} << 60);
  EXPECT_EQ(none.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(none.message().find(std::to_string(int64_t{1} << 60)), std::string::npos);
}

}  // namespace
}  // namespace hearth::storage
