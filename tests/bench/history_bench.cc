// What the history costs, on series shaped as a busy model server's (history_load.h).
//   history_bench day <new directory> [interval]    a day, sampled every [interval] seconds, and what it
//                                                    writes; from 10 s on without the tier of 10 s
//   history_bench years <new directory> [days]      two years, sampled every minute so that they pass in
//                                                    minutes: size, and panels over years
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/log.h"
#include "storage/history.h"
#include "storage/promql/evaluator.h"
#include "storage/promql/parser.h"
#include "tests/bench/history_load.h"

namespace hearth::storage {
namespace {

constexpr int64_t kDayS = 86'400;
constexpr int kPanelPoints = 1000;  // about one for each pixel
constexpr int kRounds = 7;          // the best one counts

class SteppedClock : public Clock {
 public:
  double MonotonicSeconds() const override { return hearth::MonotonicSeconds(); }
  double BootSeconds() const override { return static_cast<double>(wall_ms) / 1000; }
  int64_t WallMillis() const override { return wall_ms; }
  int64_t wall_ms = 1'800'000'000'000;
};

double Mib(int64_t bytes) { return static_cast<double>(bytes) / 1048576; }

int64_t BytesWritten() {
  std::ifstream io("/proc/self/io");
  std::string key;
  int64_t value = 0;
  while (io >> key >> value) {
    if (key == "write_bytes:") return value;
  }
  return 0;
}

// A history that is fed by the clock, and the times that takes.
class Bench {
 public:
  // A sample every `interval` seconds.
  Bench(const std::string& directory, int interval, std::vector<TierOptions> tiers)
      : interval_(interval) {
    options_.path = directory + "/history.db";
    options_.commit_interval_s = 1e9;  // Flush() below, so that commits are timed alone
    if (!tiers.empty()) options_.tiers = std::move(tiers);
  }

  bool Open() {
    history_.reset();
    auto opened = History::Open(options_, &clock_);
    if (!opened.ok()) std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
    if (!opened.ok()) return false;
    history_ = *std::move(opened);
    return true;
  }

  // `seconds` pass, with a commit every `commit`. Each sample is `pace` seconds of the load.
  bool Feed(int64_t seconds, int commit, int pace) {
    Load load([&](const promql::Labels& labels, SeriesKind kind) {
      return history_->Register(labels, kind);
    });
    const int stride = interval_ / pace;
    for (int64_t second = stride; second <= seconds; second += stride) {
      clock_.wall_ms += stride * 1000;
      const auto& values = load.Step(static_cast<int>(second));
      if (second % interval_ != 0) continue;
      const double begin = MonotonicSeconds();
      if (!history_->Append(clock_.wall_ms, values).ok()) return false;
      append_s_ += MonotonicSeconds() - begin;
      ++appends_;
      if (second % commit != 0) continue;
      if (!history_->Flush().ok()) return false;
      commit_max_s_ = std::max(commit_max_s_, history_->stats().last_commit_s);
    }
    return true;
  }

  void PrintSizes() const {
    const HistoryStats stats = history_->stats();
    const auto series = static_cast<double>(stats.series);
    const double append_us = append_s_ / static_cast<double>(appends_) * 1e6;
    std::printf("%.0f series; append %.1f us (%.1f M samples/s); commit mean %.2f ms, max %.2f ms "
                "(%lld)\n", series, append_us, series / append_us,
                stats.commit_seconds / static_cast<double>(stats.commits) * 1000,
                commit_max_s_ * 1000, static_cast<long long>(stats.commits));
    for (const TierStats& tier : stats.tiers) {
      std::printf("%-12s %7lld rows, %8.1f KiB, %.3f B per point and series\n", tier.name.c_str(),
                  static_cast<long long>(tier.stored.rows),
                  static_cast<double>(tier.stored.bytes) / 1024,
                  static_cast<double>(tier.stored.bytes) /
                      (static_cast<double>(tier.stored.rows) * series));
    }
    std::printf("file %.2f MiB of at most %.0f\n", Mib(stats.bytes_on_disk),
                Mib(options_.bytes_max));
  }

  // A quantile over the 18 buckets of one histogram, as a panel of `points` steps asks for it.
  void TimePanel(const char* what, int64_t span_s) const {
    const int64_t step_s = std::max<int64_t>(span_s / kPanelPoints, 1);
    const int64_t range_s = std::max<int64_t>(step_s + 15, 4 * interval_);
    const std::string text = "histogram_quantile(0.99, sum by (le) (rate(h0_bucket[" +
                             std::to_string(range_s) + "s])))";
    const promql::ExprPtr expr = *promql::Parse(text);
    double select_s = 1e9;
    double panel_s = 1e9;
    size_t samples = 0;
    const promql::SelectHints hints = {clock_.wall_ms - span_s * 1000, clock_.wall_ms, step_s * 1000,
                                       range_s * 1000};
    for (int round = 0; round < kRounds; ++round) {
      const double begin = MonotonicSeconds();
      const auto selected = *history_->Select(Buckets(), hints);
      select_s = std::min(select_s, MonotonicSeconds() - begin);
      samples = 0;
      for (const promql::Series& one : selected) samples += one.samples.size();
      const double evaluated = MonotonicSeconds();
      const auto matrix = promql::EvalRange(*history_, *expr, hints.start_ms, hints.end_ms,
                                            hints.step_ms);
      panel_s = std::min(panel_s, MonotonicSeconds() - evaluated);
      if (!matrix.ok() || matrix->series.empty()) std::printf("no answer: %s\n", text.c_str());
    }
    std::printf("%-12s 18 buckets, %8zu samples: read %7.2f ms, whole panel %7.2f ms\n", what,
                samples, select_s * 1000, panel_s * 1000);
  }

  void TimeReopen() {
    const double begin = MonotonicSeconds();
    history_.reset();
    const double closed = MonotonicSeconds();
    if (!Open()) return;
    const double opened = MonotonicSeconds();
    std::printf("close %.1f ms, open %.1f ms\n", (closed - begin) * 1e3, (opened - closed) * 1e3);
    TimePanel("first panel", 3600);
  }

 private:
  static std::vector<promql::Matcher> Buckets() {
    return {*promql::Matcher::Make("__name__", promql::Matcher::Op::kEqual, "h0_bucket")};
  }

  const int interval_;
  SteppedClock clock_;
  HistoryOptions options_;
  std::unique_ptr<History> history_;
  double append_s_ = 0;
  int64_t appends_ = 0;
  double commit_max_s_ = 0;
};

int Day(const std::string& directory, int interval) {
  std::vector<TierOptions> tiers;
  if (interval >= 10) tiers = {{0, 3 * kDayS}, {60, 35 * kDayS}, {900, 730 * kDayS}};
  Bench bench(directory, interval, tiers);
  if (!bench.Open() || !bench.Feed(kDayS, 60, interval)) return 1;
  bench.PrintSizes();
  std::printf("written in the day: %.1f MiB\n", Mib(BytesWritten()));
  bench.TimePanel("1 h", 3600);
  bench.TimePanel("5 h", 5 * 3600);
  bench.TimePanel("1 d", kDayS);
  bench.TimeReopen();
  return 0;
}

int Years(const std::string& directory, int days) {
  Bench bench(directory, 60, {});
  if (!bench.Open() || !bench.Feed(days * kDayS, 3600, 1)) return 1;
  bench.PrintSizes();
  bench.TimePanel("1 d", kDayS);
  bench.TimePanel("30 d", 30 * kDayS);
  bench.TimePanel("2 years", 730 * kDayS);
  bench.TimeReopen();
  return 0;
}

}  // namespace
}  // namespace hearth::storage

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[1] : "";
  hearth::SetLogLevel(hearth::LogLevel::kWarning);
  const int number = argc > 3 ? std::max(std::atoi(argv[3]), 1) : 0;
  if (mode == "day") return hearth::storage::Day(argv[2], number > 0 ? number : 1);
  if (mode == "years") return hearth::storage::Years(argv[2], number > 0 ? number : 730);
  std::fprintf(stderr, "usage: history_bench day <new directory> [interval]\n"
                       "       history_bench years <new directory> [days]\n");
  return 2;
}
