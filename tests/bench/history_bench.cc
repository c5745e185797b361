// What the history costs, on series shaped as a busy model server's (history_load.h), sampled once a
// second, or every [interval].
//   history_bench <new directory> [seconds] [interval]
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/log.h"
#include "storage/history.h"
#include "tests/bench/history_load.h"

namespace hearth::storage {
namespace {

class SteppedClock : public Clock {
 public:
  double MonotonicSeconds() const override { return hearth::MonotonicSeconds(); }
  double BootSeconds() const override { return static_cast<double>(wall_ms) / 1000; }
  int64_t WallMillis() const override { return wall_ms; }
  int64_t wall_ms = 1'800'000'000'000;
};

int64_t BytesWritten() {
  std::ifstream io("/proc/self/io");
  std::string key;
  int64_t value = 0;
  while (io >> key >> value) {
    if (key == "write_bytes:") return value;
  }
  return 0;
}

void TimeSelect(const History& history, const char* what, const char* regex, int64_t span_s,
                int64_t step_ms, int64_t end_ms) {
  const std::vector<promql::Matcher> matchers = {
      *promql::Matcher::Make("__name__", promql::Matcher::Op::kRegex, regex)};
  double best = 1e9;
  size_t series = 0;
  size_t samples = 0;
  for (int round = 0; round < 5; ++round) {
    const double begin = MonotonicSeconds();
    const auto answer = history.Select(matchers, {end_ms - span_s * 1000, end_ms, step_ms, 0});
    best = std::min(best, MonotonicSeconds() - begin);
    series = answer->size();
    samples = 0;
    for (const auto& one : *answer) samples += one.samples.size();
  }
  std::printf("%-52s %3zu series %9zu samples %8.2f ms\n", what, series, samples, best * 1000);
}

int Run(const std::string& directory, int seconds, int interval) {
  SetLogLevel(LogLevel::kWarning);
  SteppedClock clock;
  HistoryOptions options;
  options.path = directory + "/history.db";
  options.commit_interval_s = 1e9;  // Flush() below, so that commits are timed alone
  auto opened = History::Open(options, &clock);
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.status().ToString().c_str());
    return 1;
  }
  History& history = **opened;
  Load load([&](const promql::Labels& labels, SeriesKind kind) {
    return history.Register(labels, kind);
  });
  double append_s = 0;
  double commit_max_s = 0;
  for (int second = 1; second <= seconds; ++second) {
    clock.wall_ms += 1000;
    const auto& values = load.Step(second);
    if (second % interval != 0) continue;
    const double begin = MonotonicSeconds();
    if (!history.Append(clock.wall_ms, values).ok()) return 1;
    append_s += MonotonicSeconds() - begin;
    if (second % 60 != 0) continue;
    if (!history.Flush().ok()) return 1;
    commit_max_s = std::max(commit_max_s, history.stats().last_commit_s);
  }
  const HistoryStats stats = history.stats();
  const auto series = static_cast<double>(stats.series);
  std::printf("%.0f series, %d s; append %.1f us; commit mean %.2f ms, max %.2f ms (%lld)\n", series,
              seconds, append_s / seconds * interval * 1e6,
              stats.commit_seconds / static_cast<double>(stats.commits) * 1000, commit_max_s * 1000,
              static_cast<long long>(stats.commits));
  for (const TierStats& tier : stats.tiers) {
    std::printf("%-12s %7lld rows, %8.1f KiB, %.3f B per point and series\n", tier.name.c_str(),
                static_cast<long long>(tier.stored.rows),
                static_cast<double>(tier.stored.bytes) / 1024,
                static_cast<double>(tier.stored.bytes) /
                    (static_cast<double>(tier.stored.rows) * series));
  }
  std::printf("file %.2f MiB, written %.1f MiB\n",
              static_cast<double>(stats.bytes_on_disk) / 1048576,
              static_cast<double>(BytesWritten()) / 1048576);
  const int64_t end = clock.wall_ms;
  TimeSelect(history, "20 series, last hour, raw, in memory", "h0_.*", 3600, 1000, end);
  TimeSelect(history, "20 series, an hour, raw, from disk", "h0_.*", 3600, 1000, end - 7'200'000);
  TimeSelect(history, "20 series, 5 h, raw", "h0_.*", 5 * 3600, 1000, end);
  TimeSelect(history, "20 series, 24 h, roll-up", "h0_.*", 86400, 60'000, end);
  TimeSelect(history, "1 series, 24 h, roll-up", "c0_total", 86400, 60'000, end);
  const double begin = MonotonicSeconds();
  opened->reset();
  const double closed = MonotonicSeconds();
  if (!History::Open(options, &clock).ok()) return 1;
  std::printf("close %.1f ms, open %.1f ms\n", (closed - begin) * 1e3,
              (MonotonicSeconds() - closed) * 1e3);
  return 0;
}

}  // namespace
}  // namespace hearth::storage

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: history_bench <new directory> [seconds] [interval]\n");
    return 2;
  }
  return hearth::storage::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 86400,
                              argc > 3 ? std::max(std::atoi(argv[3]), 1) : 1);
}
