// Compaction into chunks: the answers stay the same, whatever happens in between.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <limits>
#include <random>

#include "history_fixture.h"
#include "storage/chunk_table.h"
#include "storage/promql/quantile.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;

constexpr GaugeView kViews[] = {GaugeView::kLast, GaugeView::kMin,   GaugeView::kMax,
                                GaugeView::kSum,  GaugeView::kCount, GaugeView::kAverage};

void ExpectSame(const std::vector<promql::Sample>& a, const std::vector<promql::Sample>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].time_ms, b[i].time_ms);
    ASSERT_EQ(std::bit_cast<uint64_t>(a[i].value), std::bit_cast<uint64_t>(b[i].value)) << i;
  }
}

TEST_F(HistoryTest, CompactedFramesAnswerAsTheyDidInMemory) {
  options_.tiers = {{0, 86400}, {10, 86400, 0, 120}, {60, 86400, 0, 70}};
  options_.tail_s = 100'000;
  Open();
  std::vector<std::string> names;
  std::vector<SeriesId> ids;
  std::mt19937_64 random(41);
  Values values;
  for (int i = 0; i < 9000; ++i) {
    if (i % 1000 == 0) {  // series come late too
      names.push_back("g" + std::to_string(i));
      values.emplace_back(Gauge(names.back()), 0);
      names.push_back("c" + std::to_string(i) + "_total");
      values.emplace_back(Counter(names.back()), 0);
    }
    for (size_t s = 0; s < values.size(); s += 2) {
      const uint64_t kind = random() % 40;
      values[s].second = kind == 0   ? std::bit_cast<double>(random())
                         : kind == 1 ? -0.0
                         : kind == 2 ? std::numeric_limits<double>::infinity()
                                     : static_cast<double>(random() % 9000) / 1000;
      const auto step = static_cast<double>(random() % 9);
      values[s + 1].second = random() % 500 == 0 ? 0 : values[s + 1].second + step;
    }
    Values now = values;
    if (random() % 10 == 0) now.erase(now.begin() + static_cast<int64_t>(random() % now.size()));
    Tick(now);
    if (random() % 300 == 0) clock_.Advance(static_cast<int64_t>(random() % 30'000));
  }
  const auto ask = [&] {
    std::vector<std::vector<promql::Sample>> answers;
    for (const std::string& name : names) {
      answers.push_back(Samples(name, {0, clock_.wall_ms, 1000, 0}));
      const int64_t middle = clock_.wall_ms - 4'000'000;
      answers.push_back(Samples(name, {middle, middle + 777'000, 0, 0}));
      for (const GaugeView view : kViews) {
        answers.push_back(Samples(name, {0, clock_.wall_ms, 10'000, 0}, view));
        answers.push_back(Samples(name, {0, clock_.wall_ms, 60'000, 0}, view));
      }
    }
    return answers;
  };
  const auto remembered = ask();
  options_.tail_s = 60;
  for (int i = 0; i < 8; ++i) Flush();
  Open();
  const HistoryStats stats = history_->stats();
  EXPECT_EQ(stats.tiers[0].stored.rows, 9000);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_LE(stats.tiers[i].stored.loose_rows,
              static_cast<int64_t>(options_.tiers[i].chunk_frames));
    EXPECT_GT(stats.tiers[i].stored.rows, stats.tiers[i].stored.loose_rows);
  }
  const auto stored = ask();
  for (size_t i = 0; i < stored.size(); ++i) ExpectSame(remembered[i], stored[i]);
  EXPECT_EQ(history_->stats().frames_broken, 0);
}

// The process dies at the first write beyond a growing file size, hence at each write to the log
// and to the database that committing, compacting and checkpointing do.
TEST_F(HistoryTest, ACrashAtAnyWriteOfACompactionCostsNoCommittedSample) {
  options_.tiers = {{0, 86400, 0, 120}, {10, 86400, 0, 64}};
  options_.tail_s = 10;
  constexpr int kSeries = 30;
  constexpr int kCommitted = 600;
  const auto tick = [&](int i) {
    Values values;
    for (int s = 0; s < kSeries; ++s) {
      const std::string name = "c" + std::to_string(s) + "_total";
      values.emplace_back(Counter(name), static_cast<double>(i) * (s + 1));
    }
    Tick(values);
  };
  int killed = 0;
  int compacted = 0;
  for (rlim_t limit = 48 << 10; limit < rlim_t{400} << 10; limit += 8 << 10) {
    history_.reset();
    fs::remove_all(directory_);
    fs::create_directory(directory_);
    clock_ = TestClock();
    const int64_t start = clock_.wall_ms;
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const struct rlimit no_core = {0, 0};
      (void)::setrlimit(RLIMIT_CORE, &no_core);
      Open();
      const struct rlimit tight = {limit, limit};
      (void)::setrlimit(RLIMIT_FSIZE, &tight);
      for (int i = 1; i <= kCommitted; ++i) {
        tick(i);
        if (i % 60 != 0) continue;
        if (!history_->Flush().ok()) ::_exit(3);
        (void)!::write(pipe_ends[1], &i, sizeof(i));
      }
      ::_exit(0);
    }
    ::close(pipe_ends[1]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    int flushed = 0;
    for (int i = 0; ::read(pipe_ends[0], &i, sizeof(i)) == sizeof(i);) flushed = i;
    ::close(pipe_ends[0]);
    if (WIFSIGNALED(status)) {
      ASSERT_EQ(WTERMSIG(status), SIGXFSZ);
      ++killed;
    } else {
      ASSERT_EQ(WEXITSTATUS(status), 0);
    }
    clock_.Advance(3'600'000);
    Open();
    EXPECT_EQ(history_->stats().recovered, 0) << limit;
    const HistoryStats stats = history_->stats();
    if (stats.tiers[0].stored.rows > stats.tiers[0].stored.loose_rows) ++compacted;
    for (int s = 0; s < kSeries; s += 7) {
      const auto samples = Samples("c" + std::to_string(s) + "_total");
      ASSERT_GE(samples.size(), static_cast<size_t>(flushed)) << limit;
      for (size_t i = 0; i < samples.size(); ++i) {
        ASSERT_EQ(samples[i].time_ms, start + 1000 * static_cast<int64_t>(i + 1));
        ASSERT_EQ(samples[i].value, static_cast<double>(i + 1) * (s + 1));
      }
    }
  }
  EXPECT_GE(killed, 5);
  EXPECT_GE(compacted, 5);
}

TEST_F(HistoryTest, AChunkThatFailsItsChecksumIsAGapOfItsSeriesAlone) {
  options_.tail_s = 10;
  Open();
  const SeriesId g = Gauge("g");
  const SeriesId h = Gauge("h");
  for (int i = 0; i < 1300; ++i) Tick({{g, 1.0 * i}, {h, 2.0 * i}});
  history_.reset();
  Open();
  Flush();
  history_.reset();
  {
    Connection db = *Connection::Open(options_.path, Connection::Mode::kReadWrite);
    ASSERT_EQ(*db.QueryInt("SELECT count(*) FROM raw_chunks"), 4);
    ASSERT_TRUE(db.Execute("UPDATE raw_chunks SET chunk = substr(chunk, 1, length(chunk) - 1)"
                           " WHERE key = (SELECT min(key) FROM raw_chunks)").ok());
  }
  Open();
  EXPECT_EQ(Samples("h").size(), 1300u);
  const auto samples = Samples("g");
  EXPECT_EQ(samples.size(), 700u);
  EXPECT_EQ(samples.front().value, 600);
  EXPECT_EQ(history_->stats().frames_broken, 1);
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"history_frame_broken"}));
}

TEST_F(HistoryTest, ExpiresWholeGroupsAndKeepsATierWithinItsBytes) {
  options_.tiers = {{0, 600, 0, 120}, {10, 86400, 12'000, 64}};
  options_.tail_s = 10;
  Open();
  std::mt19937_64 random(43);
  const SeriesId id = Gauge("g");
  for (int i = 0; i < 20'000; ++i) {
    Tick({{id, static_cast<double>(random() % 1'000'000) / 1000}});
    if (i % 60 == 59) Flush();
  }
  const HistoryStats stats = history_->stats();
  EXPECT_LE(stats.tiers[0].stored.rows, 600 + 120 + 60);
  EXPECT_GE(stats.tiers[0].stored.rows, 540);
  EXPECT_LE(stats.tiers[1].stored.bytes, 12'000);
  EXPECT_GE(stats.tiers[1].stored.bytes, 7000);  // the last group given up was about a third
  EXPECT_LT(stats.tiers[1].stored.rows, 1900);
  EXPECT_EQ(history_->stats().frames_dropped, 0);
}

TEST_F(HistoryTest, QuantilesOfAHistogramAreThoseOfRawSamplesOnEveryTier) {
  options_.tiers = {{0, 86400}, {10, 86400}, {60, 86400, 0, 100}, {900, 86400, 0, 12}};
  options_.tail_s = 300;
  const std::vector<double> bounds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
                                      std::numeric_limits<double>::infinity()};
  const auto name_of = [](size_t b) { return "h_bucket_" + std::to_string(b); };
  std::mt19937_64 random(47);
  std::vector<double> counts(bounds.size());
  std::vector<SeriesId> ids;
  clock_.wall_ms = clock_.wall_ms / 900'000 * 900'000;
  const int64_t start = clock_.wall_ms;
  for (int i = 0; i < 30'000; ++i) {
    if (i % 7000 == 0) {  // the process starts again
      Open();
      ids.clear();
      for (size_t b = 0; b < bounds.size(); ++b) ids.push_back(Counter(name_of(b)));
      std::fill(counts.begin(), counts.end(), 0);
    }
    for (uint64_t n = random() % 4; n > 0; --n) {
      const double seconds = std::lognormal_distribution<double>(-1, 1.3)(random);
      for (size_t b = 0; b < bounds.size(); ++b) counts[b] += seconds <= bounds[b] ? 1 : 0;
    }
    Values values;
    for (size_t b = 0; b < bounds.size(); ++b) values.emplace_back(ids[b], counts[b]);
    Tick(values);
    if (i % 300 == 0) Flush();
  }
  const int64_t from = start + 900'000 * 3;
  const int64_t to = start + 900'000 * 31;
  const auto quantile = [&](double q, int64_t step_ms) {
    std::vector<promql::Bucket> buckets;
    for (size_t b = 0; b < bounds.size(); ++b) {
      // So long a range that the step alone chooses the tier.
      auto samples = Samples(name_of(b), {0, to, step_ms, 0});
      std::erase_if(samples, [&](const promql::Sample& sample) { return sample.time_ms < from; });
      EXPECT_EQ(samples.front().time_ms, from);
      EXPECT_EQ(samples.back().time_ms, to);
      EXPECT_EQ(samples[1].time_ms - from, step_ms);
      buckets.push_back({bounds[b], samples.back().value - samples.front().value});
    }
    bool forced = false;
    const double value = promql::BucketQuantile(q, buckets, &forced);
    EXPECT_FALSE(forced);
    return value;
  };
  for (const double q : {0.5, 0.9, 0.99}) {
    const double raw = quantile(q, 1000);
    EXPECT_GT(raw, 0);
    for (const int64_t step_ms : {10'000, 60'000, 900'000}) {
      EXPECT_NEAR(quantile(q, step_ms), raw, 1e-12) << q << " at " << step_ms;
    }
  }
}

// What the release before chunks wrote: its one schema step, and tables of frames alone.
TEST_F(HistoryTest, OpensAFileOfTheFirstSchemaAndLosesNothingOfIt) {
  options_.tail_s = 10;
  const int64_t start = clock_.wall_ms;
  constexpr int kSeconds = 5000;
  {
    Connection db = *Connection::Open(options_.path, Connection::Mode::kReadWrite);
    ASSERT_TRUE(db.Execute(
        "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
        "CREATE TABLE series(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, labels TEXT NOT NULL,"
        " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, total REAL NOT NULL);"
        "CREATE TABLE events(id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
        " text TEXT NOT NULL);"
        "CREATE INDEX events_by_time ON events(time_ms);"
        "CREATE TABLE raw(ts INTEGER PRIMARY KEY, frame BLOB NOT NULL);"
        "CREATE TABLE rollup_10s(ts INTEGER PRIMARY KEY, frame BLOB NOT NULL);"
        "PRAGMA application_id = 1214603634; PRAGMA user_version = 1;"
        "INSERT INTO events VALUES(1, 5, 'alert', 'hot');"
        "INSERT INTO series VALUES(0, 0, '{\"__name__\":\"c_total\"}', " +
        std::to_string(start + 10'000) + ", " + std::to_string(start + kSeconds * 1000) +
        ", 0)").ok());
    Tier raw("raw", {});
    Tier rolled("rollup_10s", {10});
    std::vector<FramePtr> raw_frames, rolled_frames;
    for (int i = 10; i <= kSeconds; ++i) {
      const Frame frame{start + i * 1000, {3.0 * i}};
      // Raw frames of the first part have expired already.
      if (i > 2000) raw_frames.push_back(std::make_shared<const Frame>(frame));
      if (i % 10 == 0) rolled_frames.push_back(std::make_shared<const Frame>(frame));
    }
    Transaction transaction = *Transaction::Begin(db);
    ASSERT_TRUE(WriteFrames(db, raw, raw_frames).ok());
    ASSERT_TRUE(WriteFrames(db, rolled, rolled_frames).ok());
    ASSERT_TRUE(transaction.Commit().ok());
  }
  clock_.Advance(kSeconds * 1000);
  const auto expect_all = [&] {
    const auto samples = Samples("c_total", {0, clock_.wall_ms, 1000, 0});
    ASSERT_EQ(samples.size(), 200u + 3000u);
    for (const auto& sample : samples) {
      ASSERT_EQ(sample.value, 3.0 * static_cast<double>(sample.time_ms - start) / 1000);
    }
    // Coarse tiers begin with the raw frames there are; the older part comes from the finer one.
    const auto minutes = Samples("c_total", {0, clock_.wall_ms, 900'000, 0});
    EXPECT_EQ(minutes.front().value, 30);
    EXPECT_EQ(minutes.back().value, 3.0 * kSeconds);
  };
  for (int round = 0; round < 3; ++round) {
    Open();
    EXPECT_EQ(history_->stats().recovered, 0);
    EXPECT_EQ(EventKinds(), (std::vector<std::string>{"alert"}));
    expect_all();
    Flush();
    expect_all();
  }
  EXPECT_LE(history_->stats().tiers[0].stored.loose_rows, 600);
}

}  // namespace
}  // namespace hearth::storage
