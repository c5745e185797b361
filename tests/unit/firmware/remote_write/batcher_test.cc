#include "firmware/remote_write/batcher.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "firmware/remote_write/encoding.h"
#include "storage/frame.h"
#include "tests/unit/firmware/remote_write/receiver.h"

namespace hearth::remote_write {
namespace {

promql::Series SeriesOf(const std::string& name, std::vector<promql::Sample> samples) {
  return {promql::Labels({{"__name__", name}, {"a", "1"}}), std::move(samples)};
}

promql::Labels Named(const std::string& name) {
  promql::Labels labels;
  labels.Set("__name__", name);
  return labels;
}

const PushedNames& Plain() {
  static const PushedNames names(metrics::ViewSet::Default(), promql::Labels());
  return names;
}

TEST(Batcher, EveryBatchIsBoundedAndTimesAscend) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<promql::Series> stretch;
    size_t total = 0;
    for (int s = 0; s < 20; ++s) {
      std::vector<promql::Sample> samples;
      for (int64_t t = 1; t <= 50; ++t) {
        if (random() % 3 == 0) samples.push_back({t, static_cast<double>(s)});
      }
      total += samples.size();
      stretch.push_back(SeriesOf("s" + std::to_string(s), std::move(samples)));
    }
    const size_t samples_max = 1 + random() % 60;
    Batcher batcher(stretch, Plain(), 0, samples_max);
    int64_t done_ms = 0;
    std::map<const PushedName*, int64_t> last;
    while (!batcher.empty()) {
      const Batch batch = batcher.Next();
      ASSERT_GT(batch.samples, 0u);
      ASSERT_LE(batch.samples, samples_max);
      ASSERT_GE(batch.until_ms, done_ms);
      size_t counted = 0;
      for (const Batch::Part& part : batch.parts) {
        for (const promql::Sample& sample : part.samples) {
          ASSERT_GT(sample.time_ms, last[part.name]);
          ASSERT_GT(sample.time_ms, done_ms) << "acknowledged already";
          last[part.name] = sample.time_ms;
          ++counted;
        }
      }
      ASSERT_EQ(counted, batch.samples);
      total -= counted;
      done_ms = batch.until_ms;
    }
    EXPECT_EQ(total, 0u);
  }
}

TEST(Batcher, ATimeLargerThanABatchIsDoneWithItsLastPart) {
  std::vector<promql::Series> stretch;
  for (int s = 0; s < 5; ++s) stretch.push_back(SeriesOf("s" + std::to_string(s), {{7, 1}, {8, 1}}));
  Batcher batcher(stretch, Plain(), 3, 2);
  std::vector<int64_t> until;
  while (!batcher.empty()) until.push_back(batcher.Next().until_ms);
  EXPECT_EQ(until, (std::vector<int64_t>{3, 3, 7, 7, 7, 8}));
}

TEST(Encoding, DecodesToTheSameLabelsAndBits) {
  const std::vector<promql::Sample> samples = {
      {1, 0.1}, {2, storage::kAbsent}, {3, -std::numeric_limits<double>::infinity()}, {1700000000123, 5e-324}};
  Batcher batcher({SeriesOf("g", samples)}, Plain(), 0, 100);
  const WriteRequest request = Decode(Encode(batcher.Next()));
  ASSERT_EQ(request.timeseries_size(), 1);
  const TimeSeries& series = request.timeseries(0);
  ASSERT_EQ(series.labels_size(), 2);
  EXPECT_EQ(series.labels(0).name(), "__name__");
  EXPECT_EQ(series.labels(0).value(), "g");
  EXPECT_EQ(series.labels(1).name(), "a");
  ASSERT_EQ(series.samples_size(), 4);
  for (int i = 0; i < 4; ++i) {
    const auto& expected = samples[static_cast<size_t>(i)];
    EXPECT_EQ(series.samples(i).timestamp(), expected.time_ms);
    EXPECT_EQ(std::bit_cast<uint64_t>(series.samples(i).value()),
              std::bit_cast<uint64_t>(expected.value));
  }
}

TEST(PushedNames, ShowsWhatAScrapeOfTheSameViewsWould) {
  metrics::ViewSet views;
  views.Add(metrics::View::kVllm);
  views.Add(metrics::View::kVllmRemoved);
  const promql::Labels external({{"instance", "box7"}, {"model_name", "never"}});
  const PushedNames names(views, external);
  const promql::Labels recorded({{"__name__", "vllm:kv_cache_usage_perc"}, {"model_name", "demo"}});
  std::vector<std::string> shown;
  for (const PushedName& name : names.Of(recorded)) {
    shown.push_back(name.labels.Get("__name__"));
    EXPECT_EQ(name.labels.Get("instance"), "box7");
    EXPECT_EQ(name.labels.Get("model_name"), "demo") << "a series' own label stays";
  }
  EXPECT_EQ(shown, (std::vector<std::string>{"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"}));
  // Not in these views; and what no view knows.
  EXPECT_TRUE(names.Of(Named("hearth_build_info")).empty());
  EXPECT_EQ(names.Of(Named("job:made:by_rule")).size(), 1u);
}

TEST(PushedNames, ScalesValuesButNotTheMarkOfAnEnd) {
  for (const metrics::NameView& view : metrics::NameViews()) {
    if (view.scale == 1) continue;
    const PushedName name{promql::Labels(), &view};
    EXPECT_EQ(name.Value(2), view.Scaled(2));
    EXPECT_TRUE(storage::IsAbsent(name.Value(storage::kAbsent)));
  }
}

}  // namespace
}  // namespace hearth::remote_write
