#include "firmware/cli/history_export.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "firmware/cli/text_table.h"
#include "storage/frame.h"

namespace hearth::cli {
namespace {

class StandingClock : public Clock {
 public:
  double MonotonicSeconds() const override { return static_cast<double>(ms) / 1000; }
  int64_t WallMillis() const override { return ms; }
  int64_t ms = 1'700'000'000'000;
};

class ExportTest : public testing::Test {
 protected:
  ExportTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "export-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    options_.path = directory_ + "/history.db";
    options_.commit_interval_s = 1e9;
    options_.tail_s = 1;  // reads come from the file
    history_ = storage::History::Open(options_, &clock_).value();
  }
  ~ExportTest() override {
    history_.reset();
    std::filesystem::remove_all(directory_);
  }

  storage::SeriesId Gauge(std::vector<promql::Labels::Pair> labels) {
    return history_->Register(promql::Labels(std::move(labels)), storage::SeriesKind::kGauge);
  }
  void Tick(const std::vector<std::pair<storage::SeriesId, double>>& values) {
    clock_.ms += 1000;
    ASSERT_TRUE(history_->Append(clock_.ms, values).ok());
  }
  std::string Export(ExportOptions options) {
    options.output = directory_ + "/out" + std::to_string(++exports_);
    const Status exported = ExportHistory(*history_, options);
    EXPECT_TRUE(exported.ok()) << exported.ToString();
    std::ostringstream text;
    text << std::ifstream(options.output).rdbuf();
    return text.str();
  }

  StandingClock clock_;
  storage::HistoryOptions options_;
  std::string directory_;
  std::unique_ptr<storage::History> history_;
  int exports_ = 0;
};

TEST_F(ExportTest, CsvIsARowASampleWithLabelsQuoted) {
  const auto id = Gauge({{"__name__", "g"}, {"who", "a \"b\"\n"}});
  Tick({{id, 0.1}});
  Tick({{id, std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(Export({.format = "csv"}),
            "time,series,value\n"
            "2023-11-14T22:13:21.000Z,\"g{who=\"\"a \\\"\"b\\\"\"\\n\"\"}\",0.1\n"
            "2023-11-14T22:13:22.000Z,\"g{who=\"\"a \\\"\"b\\\"\"\\n\"\"}\",+Inf\n");
}

TEST_F(ExportTest, OpenMetricsHasFamiliesInOnePieceAndAnEnd) {
  const auto one = Gauge({{"__name__", "g"}, {"i", "1"}});
  const auto other = Gauge({{"__name__", "a"}});
  const auto two = Gauge({{"__name__", "g"}, {"i", "2"}});
  Tick({{one, 1}, {other, 3}, {two, 2}});
  Tick({{one, 1.5}});
  EXPECT_EQ(Export({.format = "openmetrics"}),
            "# TYPE a unknown\n"
            "a 3 1700000001.000\n"
            "# TYPE g unknown\n"
            "g{i=\"1\"} 1 1700000001.000\n"
            "g{i=\"1\"} 1.5 1700000002.000\n"
            "g{i=\"2\"} 2 1700000001.000\n"
            "# EOF\n");
}

TEST_F(ExportTest, SelectorsAreJoinedAndNameEachSeriesOnce) {
  const auto one = Gauge({{"__name__", "g"}, {"i", "1"}});
  const auto two = Gauge({{"__name__", "h"}, {"i", "2"}});
  Tick({{one, 1}, {two, 2}});
  const std::string text =
      Export({.format = "openmetrics", .selectors = {"g", "{i=\"1\"}", "{__name__=~\"g|h\"}"}});
  EXPECT_EQ(text,
            "# TYPE g unknown\ng{i=\"1\"} 1 1700000001.000\n"
            "# TYPE h unknown\nh{i=\"2\"} 2 1700000001.000\n# EOF\n");
}

TEST_F(ExportTest, StartIsIncludedAndAStepKeepsItsLastSample) {
  const auto id = Gauge({{"__name__", "g"}});
  for (int i = 1; i <= 30; ++i) Tick({{id, 1.0 * i}});
  EXPECT_EQ(Export({.format = "openmetrics", .start = "1700000029", .end = "1700000030"}),
            "# TYPE g unknown\ng 29 1700000029.000\ng 30 1700000030.000\n# EOF\n");
  EXPECT_EQ(Export({.format = "openmetrics", .start = "1700000011", .step = "10s"}),
            "# TYPE g unknown\ng 20 1700000020.000\ng 30 1700000030.000\n# EOF\n");
}

TEST_F(ExportTest, WrongOptionsAreNamed) {
  for (const ExportOptions& options :
       {ExportOptions{.selectors = {"g{"}}, ExportOptions{.start = "yesterday"},
        ExportOptions{.step = "often"}}) {
    EXPECT_EQ(ExportHistory(*history_, options).code(), StatusCode::kInvalidArgument);
  }
}

TEST_F(ExportTest, CountsEverySample) {
  const auto one = Gauge({{"__name__", "g"}});
  const auto two = Gauge({{"__name__", "h"}});
  Tick({{one, 1}, {two, 2}});
  Tick({{one, 1}});
  const auto counted = CountSamples(*history_);
  ASSERT_TRUE(counted.ok());
  EXPECT_EQ(*counted, 3);
}

TEST_F(ExportTest, ReadingEverythingFindsWhatIsDamaged) {
  const auto id = Gauge({{"__name__", "g"}});
  for (int i = 1; i <= 300; ++i) Tick({{id, 1.0 * i}});
  history_.reset();
  {
    auto connection =
        storage::Connection::Open(options_.path, storage::Connection::Mode::kReadWrite);
    ASSERT_TRUE(connection.ok());
    const Status damaged = connection->Execute(
        "UPDATE raw SET frame = zeroblob(length(frame)) WHERE ts = (SELECT min(ts) + 70000 FROM raw)");
    ASSERT_TRUE(damaged.ok()) << damaged.ToString();
  }
  history_ = storage::History::Open(options_, &clock_).value();
  const auto counted = CountSamples(*history_);
  ASSERT_TRUE(counted.ok());
  EXPECT_LT(*counted, 300);
  EXPECT_GT(history_->stats().frames_broken, 0);
}

TEST(ParseTime, TakesSecondsStampsAndSpans) {
  constexpr int64_t kNow = 1'700'000'000'000;
  EXPECT_EQ(*ParseTimeMs("1700000000.5", kNow), 1'700'000'000'500);
  EXPECT_EQ(*ParseTimeMs("2023-11-14T22:13:20Z", 0), kNow);
  EXPECT_EQ(*ParseTimeMs("6h", kNow), kNow - 6 * 3'600'000);
  EXPECT_FALSE(ParseTimeMs("2023-11-14T22:13:20", kNow).ok());
}

TEST(TextTable, AlignsColumns) {
  EXPECT_EQ(TextTable({{"tier", "rows"}, {"raw", "12345"}, {"total"}}),
            "tier    rows\nraw    12345\ntotal\n");
  EXPECT_EQ(SizeText(512), "512 B");
  EXPECT_EQ(SizeText(1.5 * 1024 * 1024), "1.5 MiB");
  EXPECT_EQ(SpanText(21600), "6 h");
  EXPECT_EQ(UtcText(1'700'000'000'000), "2023-11-14 22:13:20Z");
}

}  // namespace
}  // namespace hearth::cli
