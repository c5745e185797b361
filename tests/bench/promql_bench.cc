// What evaluating a query costs beyond fetching its samples: big panels over series in memory.
//
// Each row is one query; its last figure is the evaluation's time over that of reading every
// selected sample once.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "storage/promql/evaluator.h"
#include "storage/promql/parser.h"

namespace hearth::promql {
namespace {

constexpr int64_t kEndMs = 1'800'000'000'000;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr int kRounds = 7;

class BenchSource : public SeriesSource {
 public:
  // A sample every `interval_ms` of the `span_ms` before kEndMs.
  void Add(std::vector<Labels::Pair> labels, int64_t span_ms, int64_t interval_ms,
           const std::function<double(size_t)>& value) {
    Series series{Labels(std::move(labels)), {}};
    const auto count = static_cast<size_t>(span_ms / interval_ms);
    series.samples.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const auto back = static_cast<int64_t>(count - 1 - i);
      series.samples.push_back({kEndMs - back * interval_ms, value(i)});
    }
    series_.push_back(std::move(series));
  }

  Result<std::vector<Series>> Select(const std::vector<Matcher>& matchers,
                                     const SelectHints& hints) const override {
    std::vector<Series> selected;
    for (const Series& series : series_) {
      const bool fits = std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
        return matcher.Matches(series.labels.Get(matcher.name));
      });
      if (!fits) continue;
      const auto before = [](int64_t time_ms, const Sample& s) { return time_ms < s.time_ms; };
      const auto& all = series.samples;
      const auto first = std::upper_bound(all.begin(), all.end(), hints.start_ms, before);
      const auto last = std::upper_bound(first, all.end(), hints.end_ms, before);
      selected.push_back({series.labels, {first, last}});
    }
    return selected;
  }

  Result<std::vector<Labels>> SeriesLabels(const std::vector<Matcher>&, int64_t,
                                           int64_t) const override {
    return std::vector<Labels>();
  }

 private:
  std::vector<Series> series_;
};

std::string Number(int value) {
  std::string text = std::to_string(value);
  return std::string(3 - std::min<size_t>(3, text.size()), '0') + text;
}

// 30 days of an 18-bucket histogram a minute apart, and two days of 600 series 10 s apart.
void Fill(BenchSource& source) {
  std::mt19937_64 random(1);
  constexpr int kBuckets = 18;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    double total = 0;
    const std::string bound =
        bucket + 1 == kBuckets ? "+Inf" : std::to_string(std::exp2(bucket) / 1000);
    source.Add({{"__name__", "x_bucket"}, {"le", bound}, {"model_name", "demo"}}, 30 * kDayMs,
               kMinuteMs, [&](size_t) {
                 return total += static_cast<double>((bucket + 1) * 10 + static_cast<int>(random() % 5));
               });
  }
  for (int i = 0; i < 600; ++i) {
    double total = 0;
    const std::string pod = "pod-" + Number(i);
    const std::string zone = "zone-" + Number(i % 20);
    const auto counter = [&](size_t) { return total += static_cast<double>(random() % 50); };
    const auto gauge = [&](size_t) { return static_cast<double>(random() % 1000) / 8; };
    source.Add({{"__name__", "requests_total"}, {"pod", pod}, {"zone", zone}}, 2 * kDayMs / 12,
               10'000, counter);
    source.Add({{"__name__", "limit"}, {"pod", pod}, {"zone", zone}}, 2 * kDayMs / 12, 10'000,
               gauge);
  }
  for (int i = 0; i < 4; ++i) {
    source.Add({{"__name__", "load"}, {"cpu", Number(i)}}, 30 * kDayMs, kMinuteMs,
               [&](size_t) { return static_cast<double>(random() % 1000) / 8; });
  }
}

struct Panel {
  const char* what;
  const char* query;
  int64_t span_ms;
  int64_t step_ms;
};

constexpr int64_t kHourMs = 3'600'000;
constexpr Panel kPanels[] = {
    {"30 d, 2,000 steps, p99 of 18 buckets",
     "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))", 30 * kDayMs, 1'296'000},
    {"30 d, 1,000 steps, p99 of 18 buckets",
     "histogram_quantile(0.99, sum by (le) (rate(x_bucket[1h])))", 30 * kDayMs, 2'592'000},
    {"4 h, 960 steps, sum by over 600 rates", "sum by (zone) (rate(requests_total[5m]))",
     4 * kHourMs - 300'000, 15'000},
    {"4 h, 960 steps, 600 series as they are", "limit", 4 * kHourMs - 300'000, 15'000},
    {"4 h, 960 steps, join of 600 with 600", "rate(requests_total[5m]) / on (pod) limit",
     4 * kHourMs - 300'000, 15'000},
    {"4 h, 960 steps, topk(5) of 600", "topk(5, rate(requests_total[5m]))", 4 * kHourMs - 300'000,
     15'000},
    {"4 h, 960 steps, quantile over 600", "quantile by (zone) (0.9, limit)", 4 * kHourMs - 300'000,
     15'000},
    {"27 d, 11,000 steps, rate[3d]", "rate(x_bucket{le=\"+Inf\"}[3d])", 27 * kDayMs, 212'073},
    {"27 d, 2,000 steps, quantile_over_time[3d]", "quantile_over_time(0.9, load[3d])", 27 * kDayMs,
     1'166'400},
    {"27 d, 2,000 steps, max_over_time[3d]", "max_over_time(load[3d])", 27 * kDayMs, 1'166'400},
    {"27 d, 2,000 steps, avg_over_time[3d]", "avg_over_time(load[3d])", 27 * kDayMs, 1'166'400},
    {"27 d, 2,000 steps, stddev_over_time[3d]", "stddev_over_time(load[3d])", 27 * kDayMs,
     1'166'400},
    {"27 d, 2,000 steps, max of a subquery", "max_over_time(rate(x_bucket{le=\"+Inf\"}[5m])[1d:1m])",
     27 * kDayMs, 1'166'400},
};

// Seconds of the best of several rounds.
template <typename Work>
double Best(const Work& work) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = MonotonicSeconds();
    work();
    best = std::min(best, MonotonicSeconds() - begin);
  }
  return best;
}

double sink = 0;

void Measure(const BenchSource& source, const Panel& panel) {
  const auto expr = Parse(panel.query);
  if (!expr.ok()) {
    std::printf("%s: %s\n", panel.query, expr.status().message().c_str());
    std::exit(1);
  }
  EvalStats stats;
  double evaluation_s = 1e9;
  size_t series = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto answer =
        EvalRange(source, **expr, kEndMs - panel.span_ms, kEndMs, panel.step_ms);
    if (!answer.ok()) {
      std::printf("%-42s %s\n", panel.what, answer.status().message().c_str());
      return;
    }
    series = answer->series.size();
    stats = answer->stats;
    evaluation_s = std::min(evaluation_s, stats.total_s - stats.select_s);
  }
  const std::vector<double> samples(static_cast<size_t>(stats.samples_read) * 2, 1.0);
  const double read_s = Best([&] {
    for (size_t i = 0; i < samples.size(); i += 2) sink += samples[i];
  });
  std::printf("%-42s %4zu series %9lld samples %9.2f ms %8.1f x\n", panel.what, series,
              static_cast<long long>(stats.samples_read), evaluation_s * 1000,
              evaluation_s / read_s);
}

int Run() {
  BenchSource source;
  Fill(source);
  std::printf("evaluation beyond fetching the samples, and over reading each of them once\n");
  for (const Panel& panel : kPanels) Measure(source, panel);
  return sink < 0 ? 1 : 0;  // so that the reading is not folded away
}

}  // namespace
}  // namespace hearth::promql

int main() { return hearth::promql::Run(); }
