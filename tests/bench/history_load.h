// The series that the benches of the history are fed with, the same on every run: as many as a busy
// model server has and as restless. 12 histograms of 18 buckets, 80 further counters, 100 gauges; a
// day of six busy hours, four silent ones and little in between.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/promql/series_source.h"
#include "storage/series_index.h"

namespace hearth::storage {

class Load {
 public:
  using RegisterFunction = std::function<SeriesId(const promql::Labels&, SeriesKind)>;

  explicit Load(const RegisterFunction& register_series) {
    const auto add = [&](std::vector<promql::Labels::Pair> labels, SeriesKind kind) {
      values_.emplace_back(register_series(promql::Labels(std::move(labels)), kind), 0.0);
    };
    for (int h = 0; h < kHistograms; ++h) {
      const std::string name = "h" + std::to_string(h);
      for (int b = 0; b < kBuckets; ++b) {
        add({{"__name__", name + "_bucket"}, {"le", std::to_string(b)}}, SeriesKind::kCounter);
      }
      add({{"__name__", name + "_sum"}}, SeriesKind::kCounter);
      add({{"__name__", name + "_count"}}, SeriesKind::kCounter);
    }
    for (int c = 0; c < kCounters; ++c) {
      add({{"__name__", "c" + std::to_string(c) + "_total"}}, SeriesKind::kCounter);
    }
    for (int g = 0; g < kGauges; ++g) {
      add({{"__name__", "g" + std::to_string(g)}}, SeriesKind::kGauge);
    }
  }

  // The values after `second` seconds of the day that began with 1. Called for each second in turn.
  const std::vector<std::pair<SeriesId, double>>& Step(int second) {
    const int hour = second / 3600 % 24;
    const double load = hour >= 9 && hour < 15 ? 1.0 : hour >= 22 || hour < 2 ? 0.0 : 0.15;
    size_t at = 0;
    for (int h = 0; h < kHistograms; ++h) {
      const int observations = std::poisson_distribution<int>(4 * load + 1e-9)(random_);
      for (int i = 0; i < observations; ++i) {
        const double seconds = std::lognormal_distribution<double>(-1, 1)(random_);
        const int first = std::clamp(static_cast<int>(9 + 2 * std::log(seconds)), 0, kBuckets - 1);
        for (int b = first; b < kBuckets; ++b) values_[at + static_cast<size_t>(b)].second += 1;
        double& sum = values_[at + kBuckets].second;
        sum = std::round((sum + seconds) * 1e6) / 1e6;
        values_[at + kBuckets + 1].second += 1;
      }
      at += kBuckets + 2;
    }
    for (int c = 0; c < kCounters; ++c, ++at) {
      const double rate = load * (c % 4 == 0 ? 500 : c % 4 == 1 ? 3 : 0);
      if (rate > 0) values_[at].second += std::poisson_distribution<int>(rate)(random_);
    }
    for (int g = 0; g < kGauges; ++g, ++at) {
      if (g % 3 == 0) values_[at].second = std::poisson_distribution<int>(8 * load + 0.001)(random_);
      if (g % 3 == 1 && random_() % 4 == 0) {
        values_[at].second = std::round(1000 * std::normal_distribution<double>(60, 2)(random_)) / 1000;
      }
    }
    return values_;
  }

 private:
  static constexpr int kHistograms = 12;
  static constexpr int kBuckets = 18;
  static constexpr int kCounters = 80;
  static constexpr int kGauges = 100;

  std::mt19937_64 random_{1};
  std::vector<std::pair<SeriesId, double>> values_;
};

}  // namespace hearth::storage
