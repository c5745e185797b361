// Which series and which tier answer, and readers beside the writer.
#include <atomic>
#include <thread>

#include "history_fixture.h"

namespace hearth::storage {
namespace {

using promql::Labels;
using promql::Matcher;

TEST_F(HistoryTest, SelectsByAllKindsOfMatchers) {
  Open();
  Values values;
  for (const char* room : {"cellar", "attic", "kitchen"}) {
    for (const char* name : {"temperature", "humidity"}) {
      values.emplace_back(history_->Register(Labels({{"__name__", name}, {"room", room}}),
                                             SeriesKind::kGauge),
                          1);
    }
  }
  Tick(values);
  const auto count = [&](std::vector<Matcher> matchers) {
    return history_->Select(matchers, Everything())->size();
  };
  EXPECT_EQ(count(Named("temperature")), 3u);
  EXPECT_EQ(count({*Matcher::Make("room", Matcher::Op::kRegex, "c.*|attic")}), 4u);
  EXPECT_EQ(
      count({Named("humidity")[0], *Matcher::Make("room", Matcher::Op::kNotEqual, "attic")}), 2u);
  EXPECT_EQ(count({*Matcher::Make("floor", Matcher::Op::kEqual, "")}), 6u);
  EXPECT_EQ(count(Named("pressure")), 0u);
  EXPECT_EQ(history_->SeriesLabels(Named("humidity"), 0, clock_.wall_ms)->size(), 3u);
  EXPECT_EQ(history_->SeriesLabels(Named("humidity"), 0, clock_.wall_ms - 1)->size(), 0u);
}

TEST_F(HistoryTest, LabelsSurviveAReopenWhateverTheyContain) {
  Open();
  const Labels odd({{"__name__", "g"}, {"path", "C:\\dir\n\"x\""}, {"word", "Grüße 你好"}});
  Tick({{history_->Register(odd, SeriesKind::kGauge), 1}});
  Open();
  const auto series = history_->Select(Named("g"), Everything());
  ASSERT_EQ(series->size(), 1u);
  EXPECT_EQ((*series)[0].labels, odd);
}

TEST_F(HistoryTest, AnswersLongQueriesFromTheRollUpAndItsNewestPartFromRawFrames) {
  options_.tiers = {{0, 86400}, {10, 10 * 86400}};
  Open();
  const SeriesId id = Counter("c_total");
  for (int i = 1; i <= 12'005; ++i) Tick({{id, 1.0 * i}});
  const auto samples = Samples("c_total", {0, clock_.wall_ms, 60'000, 300'000});
  ASSERT_GT(samples.size(), 1200u);
  ASSERT_LT(samples.size(), 1215u);
  EXPECT_EQ(samples.back().time_ms, clock_.wall_ms);
  EXPECT_EQ(samples.back().value, 12'005);
  EXPECT_EQ(samples[10].time_ms - samples[9].time_ms, 10'000);
  // A query whose step or range is finer than the tier stays with raw frames.
  EXPECT_EQ(Samples("c_total", {0, clock_.wall_ms, 5000, 300'000}).size(), 12'005u);
  EXPECT_EQ(Samples("c_total", {0, clock_.wall_ms, 60'000, 30'000}).size(), 12'005u);
}

TEST_F(HistoryTest, StoredAndRememberedFramesGiveTheSameAnswer) {
  options_.tail_s = 100;
  Open();
  const SeriesId gauge = Gauge("g");
  for (int i = 0; i < 1000; ++i) {
    Tick({{gauge, i / 4.0}});
    if (i % 77 == 0) Flush();
  }
  const auto samples = Samples("g");
  ASSERT_EQ(samples.size(), 1000u);
  for (size_t i = 0; i < 1000; ++i) EXPECT_EQ(samples[i].value, static_cast<double>(i) / 4);
  for (const int64_t back : {1, 59, 60, 61, 99, 100, 101, 500}) {
    EXPECT_EQ(Samples("g", {clock_.wall_ms - back * 1000, clock_.wall_ms, 0, 0}).size(),
              static_cast<size_t>(back));
  }
}

TEST_F(HistoryTest, ReadersBesideTheWriterSeeOrderedSamplesOnly) {
  options_.commit_interval_s = 5;
  options_.tail_s = 20;
  options_.tiers = {{0, 200}, {10, 400}};
  Open();
  const SeriesId id = Counter("c_total");
  const auto matchers = Named("c_total");
  std::atomic<bool> stop = false;
  std::atomic<int> answers = 0;
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      while (!stop) {
        auto series = history_->Select(matchers, {0, Tail::kForever, 0, 0});
        ASSERT_TRUE(series.ok()) << series.status().ToString();
        (void)history_->stats();
        if (series->empty()) continue;
        const auto& samples = (*series)[0].samples;
        for (size_t i = 1; i < samples.size(); ++i) {
          ASSERT_GT(samples[i].time_ms, samples[i - 1].time_ms);
          ASSERT_GE(samples[i].value, samples[i - 1].value);
        }
        ++answers;
      }
    });
  }
  // Not the fixture's clock: readers ask it too.
  for (int64_t i = 1; i <= 1500 || answers < 20; ++i) {
    (void)history_->Append(clock_.wall_ms + i * 1000, Values{{id, static_cast<double>(i)}});
    std::this_thread::yield();
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(history_->stats().write_errors, 0);
}

}  // namespace
}  // namespace hearth::storage
