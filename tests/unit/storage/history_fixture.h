// A history in a directory of its own, under a clock that the test moves.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "storage/history.h"

namespace hearth::storage {

class TestClock : public Clock {
 public:
  double MonotonicSeconds() const override { return static_cast<double>(monotonic_ms) / 1000; }
  int64_t WallMillis() const override { return wall_ms; }
  void Advance(int64_t ms) {
    wall_ms += ms;
    monotonic_ms += ms;
  }

  std::string BootId() const override { return boot_id; }
  void Reboot(int64_t wall) {
    wall_ms = wall;
    monotonic_ms = 20'000;
    boot_id += "'";
  }

  int64_t wall_ms = 1'800'000'000'000;
  int64_t monotonic_ms = 1'000'000;
  std::string boot_id = "boot";
};

class HistoryTest : public testing::Test {
 protected:
  using Values = std::vector<std::pair<SeriesId, double>>;

  HistoryTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "history-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    options_.path = directory_ + "/history.db";
    options_.commit_interval_s = 1e9;  // only Flush() commits
  }
  ~HistoryTest() override {
    history_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Open() {
    history_.reset();
    auto opened = History::Open(options_, &clock_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    history_ = *std::move(opened);
  }

  SeriesId Counter(const std::string& name) {
    return history_->Register(promql::Labels({{"__name__", name}}), SeriesKind::kCounter);
  }
  SeriesId Gauge(const std::string& name) {
    return history_->Register(promql::Labels({{"__name__", name}}), SeriesKind::kGauge);
  }

  // One second later, these values.
  void Tick(const Values& values) {
    clock_.Advance(1000);
    const Status status = history_->Append(clock_.wall_ms, values);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void Flush() {
    const Status status = history_->Flush();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  static std::vector<promql::Matcher> Named(const std::string& name) {
    return {*promql::Matcher::Make("__name__", promql::Matcher::Op::kEqual, name)};
  }
  promql::SelectHints Everything(int64_t step_ms = 0) const {
    return {0, clock_.wall_ms + 1'000'000, step_ms, 0};
  }
  // The samples of the one series of that name; none when there is no such series.
  std::vector<promql::Sample> Samples(const std::string& name, const promql::SelectHints& hints,
                                      GaugeView view = GaugeView::kLast) const {
    auto series = history_->SelectGauges(Named(name), hints, view);
    EXPECT_TRUE(series.ok()) << series.status().ToString();
    if (!series.ok() || series->empty()) return {};
    EXPECT_EQ(series->size(), 1u);
    return (*series)[0].samples;
  }
  std::vector<promql::Sample> Samples(const std::string& name) const {
    return Samples(name, Everything());
  }
  std::vector<std::string> EventKinds() const {
    std::vector<std::string> kinds;
    auto events = history_->Events(0, Tail::kForever);
    EXPECT_TRUE(events.ok()) << events.status().ToString();
    if (events.ok()) {
      for (const Event& event : *events) kinds.push_back(event.kind);
    }
    return kinds;
  }

  TestClock clock_;
  HistoryOptions options_;
  std::string directory_;
  std::unique_ptr<History> history_;
};

}  // namespace hearth::storage
