// Appending and reading back: exactness, restarts, expiry.
#include <map>
#include <random>

#include "history_fixture.h"

namespace hearth::storage {
namespace {

// What Prometheus counts between the first and the last of some samples.
double IncreaseOf(const std::vector<promql::Sample>& samples) {
  double increase = 0;
  for (size_t i = 1; i < samples.size(); ++i) {
    const double step = samples[i].value - samples[i - 1].value;
    increase += step >= 0 ? step : samples[i].value;
  }
  return increase;
}

TEST_F(HistoryTest, ShowsSamplesBeforeTheyAreCommitted) {
  Open();
  const SeriesId id = Gauge("g");
  Tick({{id, 1.5}});
  Tick({{id, 2.5}});
  const auto samples = Samples("g");
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].time_ms, clock_.wall_ms);
  EXPECT_EQ(samples[1].value, 2.5);
  EXPECT_EQ(history_->stats().commits, 0);
}

TEST_F(HistoryTest, RangesAreOpenAtTheStartAndClosedAtTheEnd) {
  Open();
  const SeriesId id = Gauge("g");
  for (int i = 0; i < 10; ++i) Tick({{id, 1.0 * i}});
  const auto samples = Samples("g", {clock_.wall_ms - 5000, clock_.wall_ms - 2000, 0, 0});
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples.front().value, 5);
  EXPECT_EQ(samples.back().value, 7);
}

TEST_F(HistoryTest, KeepsEverythingOverAReopenThatItHadCommitted) {
  Open();
  const SeriesId gauge = Gauge("g");
  const SeriesId counter = Counter("c_total");
  for (int i = 1; i <= 200; ++i) Tick({{gauge, i / 8.0}, {counter, 3.0 * i}});
  const auto gauge_before = Samples("g");
  const auto counter_before = Samples("c_total");
  Open();
  EXPECT_EQ(Gauge("g"), gauge);
  EXPECT_EQ(Counter("c_total"), counter);
  const auto gauge_after = Samples("g");
  const auto counter_after = Samples("c_total");
  ASSERT_EQ(gauge_after.size(), 200u);
  ASSERT_EQ(counter_after.size(), 200u);
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(gauge_after[i].value, gauge_before[i].value);
    EXPECT_EQ(counter_after[i].value, counter_before[i].value);
  }
}

TEST_F(HistoryTest, CountersGoOnGrowingOverARestart) {
  Open();
  SeriesId id = Counter("c_total");
  Tick({{id, 10}});
  Tick({{id, 100}});
  Open();
  id = Counter("c_total");
  Tick({{id, 7}});
  Tick({{id, 12}});
  const auto samples = Samples("c_total");
  ASSERT_EQ(samples.size(), 4u);
  EXPECT_EQ(samples[2].value, 107);
  EXPECT_EQ(samples[3].value, 112);
  EXPECT_EQ(IncreaseOf(samples), 90 + 7 + 5);
}

TEST_F(HistoryTest, ACounterThatWasAbsentForLongerThanItsFramesLiveGoesOnToo) {
  options_.tiers = {{0, 60}, {10, 120}};
  Open();
  SeriesId id = Counter("c_total");
  SeriesId other = Gauge("g");
  Tick({{id, 1000}, {other, 0}});
  for (int i = 0; i < 400; ++i) {
    Tick({{other, 1}});
    if (i % 60 == 0) Flush();
  }
  Open();
  id = Counter("c_total");
  Tick({{id, 5}});
  EXPECT_EQ(Samples("c_total").back().value, 1005);
}

TEST_F(HistoryTest, NotANumberInACounterIsAGap) {
  Open();
  const SeriesId id = Counter("c_total");
  Tick({{id, 5}});
  Tick({{id, std::numeric_limits<double>::quiet_NaN()}});
  Tick({{id, 2}});
  const auto samples = Samples("c_total");
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_TRUE(IsAbsent(samples[1].value));
  EXPECT_EQ(samples[2].value, 7);
}

TEST_F(HistoryTest, CountsOfTheMachineGoOnOverARestartWithoutAJump) {
  const std::string name = "cpu_seconds_total";
  const auto counter = [&] {
    return history_->Register(promql::Labels({{"__name__", name}}),
                              SeriesKind::kCounter, CounterOrigin::kTheMachine);
  };
  Open();
  SeriesId id = counter();
  Tick({{id, 14000}});
  Tick({{id, 14001}});
  Open();
  id = counter();
  Tick({{id, 14005}});  // what happened meanwhile was seen by no sample
  Tick({{id, 14006}});
  Tick({{id, 3}});  // the machine counts anew
  const auto samples = Samples(name);
  ASSERT_EQ(samples.size(), 5u);
  EXPECT_EQ(samples[1].value, 14001);
  EXPECT_EQ(samples[2].value, 14001);
  EXPECT_EQ(samples[3].value, 14002);
  EXPECT_EQ(samples[4].value, 14005);
}

TEST_F(HistoryTest, IncreasesAreExactOnEveryTierOverResetsGapsAndRestarts) {
  options_.tiers = {{0, 86400}, {10, 86400}, {60, 86400, 0, 100}, {900, 86400, 0, 10}};
  options_.tail_s = 300;
  std::mt19937_64 random(3);
  constexpr int kSeries = 5;
  std::vector<double> reading(kSeries, 0);
  std::vector<double> truth(kSeries, 0);  // counted since the first sample
  std::vector<bool> seen(kSeries, false);
  std::vector<SeriesId> ids;
  const auto open = [&] {
    Open();
    ids.clear();
    for (int s = 0; s < kSeries; ++s) ids.push_back(Counter("c" + std::to_string(s) + "_total"));
  };
  open();
  for (int second = 0; second < 20'000; ++second) {
    if (random() % 5000 == 0) {
      open();
      std::fill(reading.begin(), reading.end(), 0);
    }
    Values values;
    for (size_t s = 0; s < kSeries; ++s) {
      if (random() % 700 == 0) {
        // A reset, and fewer counted since than before: what Prometheus, too, can see.
        const double since = reading[s] > 0 ? static_cast<double>(random() % 1000) : 0;
        if (since < reading[s]) {
          truth[s] += since;
          reading[s] = since;
        }
      } else {
        const auto step = static_cast<double>(random() % 3 == 0 ? random() % 5000 : 0);
        truth[s] = seen[s] ? truth[s] + step : 0;
        reading[s] += step;
      }
      seen[s] = true;
      values.emplace_back(ids[s], reading[s]);
    }
    Tick(values);
    if (random() % 200 == 0) clock_.Advance(static_cast<int64_t>(random() % 30) * 1000);
    if (random() % 400 == 0) Flush();
  }
  // Standing still for a little longer than a quarter of an hour closes every step.
  for (int i = 0; i < 1000; ++i) {
    Values values;
    for (size_t s = 0; s < kSeries; ++s) values.emplace_back(ids[s], reading[s]);
    Tick(values);
  }
  for (size_t s = 0; s < kSeries; ++s) {
    const std::string name = "c" + std::to_string(s) + "_total";
    const auto raw = Samples(name, {0, clock_.wall_ms, 1000, 0});
    const auto ten = Samples(name, {0, clock_.wall_ms, 10'000, 0});
    const auto minute = Samples(name, {0, clock_.wall_ms, 60'000, 0});
    ASSERT_GT(raw.size(), 20'000u);
    ASSERT_LT(ten.size(), 4000u);
    ASSERT_LT(minute.size(), ten.size() / 2);
    const auto quarter = Samples(name, {0, clock_.wall_ms, 900'000, 0});
    ASSERT_LT(quarter.size(), 1000u);
    EXPECT_EQ(IncreaseOf(raw), truth[s]) << name;
    std::map<int64_t, double> at;
    for (const auto& sample : raw) at[sample.time_ms] = sample.value;
    const auto expect_running_sum = [&](const std::vector<promql::Sample>& tier) {
      EXPECT_EQ(tier.back().value, raw.back().value);
      for (const auto& sample : tier) {
        const auto newest = std::prev(at.upper_bound(sample.time_ms));
        ASSERT_EQ(sample.value, newest->second) << name << " at " << sample.time_ms;
      }
    };
    for (const auto* tier : {&ten, &minute, &quarter}) expect_running_sum(*tier);
  }
}

TEST_F(HistoryTest, RollUpsHoldTheGaugesOwnExtremesSumCountAndLast) {
  options_.tiers = {{0, 24 * 3600}, {60, 24 * 3600}};
  Open();
  const SeriesId id = Gauge("g");
  std::mt19937_64 random(5);
  struct Step {
    double min = 1e9, max = -1e9, sum = 0, count = 0, last = 0;
  };
  std::map<int64_t, Step> truth;
  for (int i = 0; i < 15'000; ++i) {
    if (i % 4000 == 3999) Open();
    if (random() % 20 == 0) {
      Tick({});
      continue;
    }
    const double value = static_cast<double>(random() % 100'000) / 1000 - 50;
    Tick({{id, value}});
    Step& step = truth[(clock_.wall_ms + 59'999) / 60'000 * 60'000];
    step = {std::min(step.min, value), std::max(step.max, value), step.sum + value, step.count + 1,
            value};
  }
  truth.erase(std::prev(truth.end()));  // still open
  const promql::SelectHints hints = {0, truth.rbegin()->first, 60'000, 0};
  const auto min = Samples("g", hints, GaugeView::kMin);
  const auto max = Samples("g", hints, GaugeView::kMax);
  const auto sum = Samples("g", hints, GaugeView::kSum);
  const auto count = Samples("g", hints, GaugeView::kCount);
  const auto last = Samples("g", hints, GaugeView::kLast);
  const auto average = Samples("g", hints, GaugeView::kAverage);
  ASSERT_EQ(min.size(), truth.size());
  size_t i = 0;
  for (const auto& [end_ms, step] : truth) {
    EXPECT_EQ(min[i].time_ms, end_ms);
    EXPECT_EQ(min[i].value, step.min);
    EXPECT_EQ(max[i].value, step.max);
    EXPECT_EQ(sum[i].value, step.sum);
    EXPECT_EQ(count[i].value, step.count);
    EXPECT_EQ(last[i].value, step.last);
    EXPECT_EQ(average[i].value, step.sum / step.count);
    ++i;
  }
}

TEST_F(HistoryTest, GapsStayGaps) {
  Open();
  const SeriesId id = Gauge("g");
  for (int i = 0; i < 30; ++i) Tick({{id, 1}});
  const int64_t before = clock_.wall_ms;
  clock_.Advance(7 * 60'000);
  for (int i = 0; i < 30; ++i) Tick({{id, 1}});
  EXPECT_TRUE(Samples("g", {before, before + 7 * 60'000, 0, 0}).empty());
  EXPECT_EQ(Samples("g").size(), 60u);
}

TEST_F(HistoryTest, ASeriesThatEndsSaysSoOnEveryTier) {
  options_.tiers = {{0, 86400}, {10, 86400}};
  options_.tail_s = 100;
  Open();
  const SeriesId ending = Gauge("ending");
  const SeriesId other = Gauge("other");
  for (int i = 0; i < 12'000; ++i) {
    // It ends in a chunk, comes again and ends in memory.
    const bool there = i < 3000 || (i >= 6000 && i < 11'990);
    if (there) Tick({{ending, 1}, {other, 1}});
    if (!there) Tick({{other, 1}});
    if (i % 60 == 0) Flush();
  }
  for (const int64_t step_ms : {1000, 60'000}) {
    const auto samples = Samples("ending", {0, clock_.wall_ms, step_ms, 0});
    size_t ends = 0;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (!IsAbsent(samples[i].value)) continue;
      ++ends;
      ASSERT_GT(i, 0u);
      EXPECT_FALSE(IsAbsent(samples[i - 1].value));
      EXPECT_LE(samples[i].time_ms - samples[i - 1].time_ms, std::max<int64_t>(step_ms / 6, 1000));
    }
    EXPECT_EQ(ends, 2u) << step_ms;
    for (const auto& sample : Samples("other", {0, clock_.wall_ms, step_ms, 0})) {
      EXPECT_EQ(sample.value, 1);
    }
  }
}

TEST_F(HistoryTest, TwoYearsStayWithinTheLimitAndAreAllThere) {
  options_.bytes_max = 3 << 20;
  options_.tail_s = 600;
  Open();
  constexpr int64_t kDays = 730;
  constexpr int64_t kStepMs = 900'000;
  std::mt19937_64 random(71);
  std::vector<SeriesId> ids;
  for (int s = 0; s < 8; ++s) ids.push_back(Counter("c" + std::to_string(s) + "_total"));
  std::vector<double> values(ids.size());
  int64_t largest = 0;
  for (int64_t i = 1; i <= kDays * 86'400'000 / kStepMs; ++i) {
    clock_.Advance(kStepMs);
    Values sample;
    for (size_t s = 0; s < ids.size(); ++s) {
      sample.emplace_back(ids[s], values[s] += static_cast<double>(random() % 1000));
    }
    ASSERT_TRUE(history_->Append(clock_.wall_ms, sample).ok());
    if (i % 384 != 0) continue;
    Flush();
    largest = std::max(largest, static_cast<int64_t>(std::filesystem::file_size(options_.path)));
  }
  EXPECT_LE(largest, options_.bytes_max);
  EXPECT_EQ(history_->stats().frames_dropped, 0);
  const auto samples = Samples("c3_total", {clock_.wall_ms - kDays * 86'400'000, clock_.wall_ms,
                                            86'400'000, 7 * 86'400'000});
  EXPECT_GE(samples.size(), size_t{kDays * 96 - 2});
  EXPECT_EQ(samples.back().value, values[3]);
  for (size_t i = 1; i < samples.size(); ++i) {
    ASSERT_GT(samples[i].time_ms, samples[i - 1].time_ms);
    ASSERT_GE(samples[i].value, samples[i - 1].value);
  }
}

TEST_F(HistoryTest, ExpiresEachTierByItsOwnTime) {
  options_.tiers = {{0, 300}, {10, 1000}};
  options_.tail_s = 10;
  Open();
  const SeriesId id = Gauge("g");
  for (int i = 0; i < 3000; ++i) {
    Tick({{id, 1.0 * i}});
    if (i % 60 == 59) Flush();
  }
  const HistoryStats stats = history_->stats();
  EXPECT_LE(stats.tiers[0].stored.rows, 301);
  EXPECT_GE(stats.tiers[0].stored.rows, 290);
  EXPECT_LE(stats.tiers[1].stored.rows, 101);
  EXPECT_GE(stats.tiers[1].stored.rows, 80);  // and in memory what the raw frames still have
  EXPECT_GE(stats.tiers[0].stored.oldest_ms, clock_.wall_ms - 300'000);
  // One answer goes over both: raw where it is, ten seconds a point before.
  const auto samples = Samples("g");
  EXPECT_GT(samples.size(), 300u);
  EXPECT_LT(samples.size(), 400u);
  for (size_t i = 1; i < samples.size(); ++i) EXPECT_GT(samples[i].value, samples[i - 1].value);
}

TEST_F(HistoryTest, EventsComeBackOnceInTheOrderOfTheirTimes) {
  Open();
  history_->AddEvent({2000, "config_applied", "revision 2"});
  history_->AddEvent({1000, "model_loaded", "demo"});
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"model_loaded", "config_applied"}));
  Flush();
  history_->AddEvent({3000, "alert", "hot"});
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"model_loaded", "config_applied", "alert"}));
  Open();
  EXPECT_EQ(EventKinds(), (std::vector<std::string>{"model_loaded", "config_applied", "alert"}));
  EXPECT_EQ(history_->Events(1500, 2500)->size(), 1u);
}

}  // namespace
}  // namespace hearth::storage
