#include "history_script.h"

#include <stdlib.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "base/check.h"
#include "storage/sqlite.h"

namespace hearth::fault {

namespace {

using storage::GaugeView;
using storage::History;

constexpr int64_t kTicksPerStep[] = {2, 10};  // of the tiers above the raw one

bool SameBits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

Result<std::vector<promql::Sample>> Samples(const History& history, const std::string& name,
                                            const promql::SelectHints& hints, GaugeView view) {
  HEARTH_ASSIGN_OR_RETURN(const promql::Matcher matcher,
                          promql::Matcher::Make("__name__", promql::Matcher::Op::kEqual, name));
  HEARTH_ASSIGN_OR_RETURN(auto series, history.SelectGauges({matcher}, hints, view));
  if (series.empty()) return std::vector<promql::Sample>();
  // A series that ends is told by a marker, which is no sample.
  std::erase_if(series[0].samples,
                [](const promql::Sample& sample) { return storage::IsAbsent(sample.value); });
  return std::move(series[0].samples);
}

std::string IntegrityOf(const std::string& path) {
  auto db = storage::Connection::Open(path, storage::Connection::Mode::kReadWrite);
  if (!db.ok()) return db.status().ToString();
  const auto verdict = db->QueryText("PRAGMA integrity_check");
  if (!verdict.ok()) return verdict.status().ToString();
  return *verdict == "ok" ? "" : "integrity_check: " + *verdict;
}

}  // namespace

ScratchDirectories::ScratchDirectories() {
  std::string pattern = (std::filesystem::temp_directory_path() / "hearth-fault-XXXXXX").string();
  root_ = ::mkdtemp(pattern.data());
  live_ = root_ + "/live";
  check_ = root_ + "/check";
  std::filesystem::create_directory(live_);
  std::filesystem::create_directory(check_);
}

ScratchDirectories::~ScratchDirectories() { std::filesystem::remove_all(root_); }

storage::HistoryOptions SmallTiers() {
  storage::HistoryOptions options;
  options.commit_interval_s = 1e9;  // only Flush() commits
  options.tiers = {{0, 86400, 0, 100}, {kTicksPerStep[0], 86400, 0, 64}, {kTicksPerStep[1], 86400, 0, 64}};
  options.tail_s = 30;
  return options;
}

HistoryScript::HistoryScript(uint64_t seed, storage::HistoryOptions options)
    : seed_(seed), options_(std::move(options)) {
  clock_.wall_ms = kStartMs;
}

Status HistoryScript::Open() {
  history_.reset();
  HEARTH_ASSIGN_OR_RETURN(history_, History::Open(options_, &clock_));
  before_ = given_;
  return Status::Ok();
}

void HistoryScript::Close() { history_.reset(); }

Status HistoryScript::WriteOldFile(int version, int64_t ticks) {
  HEARTH_ASSIGN_OR_RETURN(
      storage::Connection db,
      storage::Connection::Open(options_.path, storage::Connection::Mode::kReadWrite));
  HEARTH_RETURN_IF_ERROR(db.Execute(
      "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
      "CREATE TABLE series(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, labels TEXT NOT NULL,"
      " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, total REAL NOT NULL);"
      "CREATE TABLE events(id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
      " text TEXT NOT NULL);"
      "CREATE INDEX events_by_time ON events(time_ms);"
      "CREATE TABLE raw(ts INTEGER PRIMARY KEY, frame BLOB NOT NULL);"
      "PRAGMA application_id = 1214603634; PRAGMA user_version = " + std::to_string(version)));
  storage::FrameEncoder encoder;
  HEARTH_ASSIGN_OR_RETURN(storage::Statement insert,
                          db.Prepare("INSERT INTO raw(ts, frame) VALUES(?, ?)"));
  HEARTH_RETURN_IF_ERROR(db.Execute("BEGIN"));
  while (ticks_ < ticks) {
    clock_.Advance(1000);
    ++ticks_;
    storage::Frame frame{TimeOf(ticks_), std::vector<double>(kSeries, storage::kAbsent)};
    for (int s = 0; s < kSeries; ++s) {
      if (!Has(s, ticks_)) continue;
      frame.values[static_cast<size_t>(s)] = Value(s, ticks_);
      if (IsCounter(s)) given_[s] = Value(s, ticks_);
    }
    const std::vector<uint8_t> encoded = encoder.Encode(frame);
    insert.Bind(1, frame.time_ms).Bind(2, std::span<const uint8_t>(encoded));
    HEARTH_RETURN_IF_ERROR(insert.Run());
  }
  HEARTH_ASSIGN_OR_RETURN(storage::Statement row,
                          db.Prepare("INSERT INTO series VALUES(?, ?, ?, ?, ?, ?)"));
  for (int s = 0; s < kSeries; ++s) {
    const std::string labels = "{\"__name__\":\"" + Name(s) + "\"}";
    row.Bind(1, int64_t{s}).Bind(2, int64_t{IsCounter(s) ? 0 : 1});
    row.Bind(3, std::string_view(labels)).Bind(4, TimeOf(1)).Bind(5, TimeOf(ticks_));
    row.Bind(6, IsCounter(s) ? given_[s] : 0);
    HEARTH_RETURN_IF_ERROR(row.Run());
  }
  return db.Execute("COMMIT");
}

Status HistoryScript::Tick() {
  clock_.Advance(1000);
  ++ticks_;
  std::vector<std::pair<storage::SeriesId, double>> values;
  for (int s = 0; s < kSeries; ++s) {
    const auto kind = IsCounter(s) ? storage::SeriesKind::kCounter : storage::SeriesKind::kGauge;
    const storage::SeriesId id =
        history_->Register(promql::Labels({{"__name__", Name(s)}}), kind);
    if (!Has(s, ticks_)) continue;
    const double value = Value(s, ticks_);
    values.emplace_back(id, IsCounter(s) ? value - before_[s] : value);
    if (IsCounter(s)) given_[s] = value;
  }
  return history_->Append(clock_.wall_ms, values);
}

Status HistoryScript::Look() {
  return Samples(*history_, Name(1), {kStartMs, clock_.wall_ms, 0, 0}, GaugeView::kLast).status();
}

Status HistoryScript::LookAtNewest() {
  HEARTH_ASSIGN_OR_RETURN(
      const auto samples,
      Samples(*history_, Name(1), {clock_.wall_ms - 10'000, clock_.wall_ms, 0, 0},
              GaugeView::kLast));
  if (samples.size() == 10 && SameBits(samples.back().value, Value(1, ticks_))) return Status::Ok();
  return DataLoss(std::to_string(samples.size()) + " samples of the last ten seconds");
}

std::string HistoryScript::Name(int series) {
  return (IsCounter(series) ? "c" : "g") + std::to_string(series) +
         (IsCounter(series) ? "_total" : "");
}

uint64_t HistoryScript::Hash(uint64_t series, uint64_t tick) const {
  uint64_t x = seed_ + series * 0x9e3779b97f4a7c15 + tick * 0xbf58476d1ce4e5b9;
  for (int round = 0; round < 2; ++round) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    x ^= x >> 31;
  }
  return x;
}

// The first two are always there; the others now and then not.
bool HistoryScript::Has(int series, int64_t tick) const {
  return series < 2 || Hash(static_cast<uint64_t>(series) + 100, static_cast<uint64_t>(tick)) % 16;
}

double HistoryScript::Value(int series, int64_t tick) const {
  const uint64_t hash = Hash(static_cast<uint64_t>(series), static_cast<uint64_t>(tick));
  if (IsCounter(series)) return static_cast<double>(tick * 7 * (series + 1)) +
                                static_cast<double>(hash % 7);
  switch (hash >> 8 & 3) {
    case 0:
      return static_cast<double>(hash >> 11) * 0x1p-53;  // every bit of it counts
    case 1:
      return static_cast<double>(hash % 100'000) / 1000;
    case 2:
      return -0.0;
    default:
      return static_cast<double>(series);
  }
}

std::string HistoryScript::Problem(const std::string& directory, Promise promise,
                                   int hours_later) {
  ++looks_;
  storage::HistoryOptions options = options_;
  options.path = directory + "/history.db";
  storage::TestClock clock;
  clock.boot_id = "boot " + std::to_string(hours_later);
  clock.wall_ms = clock_.wall_ms + 3'600'000 * int64_t{hours_later};
  {
    auto opened = History::Open(options, &clock);
    if (!opened.ok()) return "Open: " + opened.status().ToString();
    History& history = **opened;
    const storage::HistoryStats stats = history.stats();
    if (stats.recovered != 0) return "set aside";
    if (promise.may_drop_oldest && stats.tiers[0].stored.rows > 0) {
      const int64_t oldest = (stats.tiers[0].stored.oldest_ms - kStartMs) / 1000;
      promise.first_tick = std::max(promise.first_tick, oldest);
      if (promise.last_tick > 0 && oldest > promise.last_tick) return "the newest frames are gone";
    }
    for (int s = 0; s < kSeries; ++s) {
      std::string problem = CompareRaw(history, s, promise);
      // The roll-ups of two series each time, so that a look is quick and all have their turn.
      for (const int64_t ticks : kTicksPerStep) {
        if (s / 2 != looks_ % (kSeries / 2)) break;
        if (problem.empty()) problem = CompareSteps(history, s, ticks, promise);
      }
      if (!problem.empty()) return Name(s) + ": " + problem;
    }
    if (history.stats().frames_broken != 0) return "a frame or chunk does not decode";
    if (std::string problem = GoesOn(history, clock); !problem.empty()) return problem;
  }
  return IntegrityOf(options.path);
}

std::string HistoryScript::CompareRaw(const History& history, int series,
                                      const Promise& promise) const {
  auto samples = Samples(history, Name(series), {TimeOf(promise.first_tick) - 1, TimeOf(ticks_), 0,
                                                 0}, GaugeView::kLast);
  if (!samples.ok()) return samples.status().ToString();
  std::map<int64_t, double> found;
  for (const promql::Sample& sample : *samples) {
    const int64_t tick = (sample.time_ms - kStartMs) / 1000;
    if (TimeOf(tick) != sample.time_ms || !Has(series, tick)) return "a sample nobody gave";
    found[tick] = sample.value;
    if (SameBits(sample.value, Value(series, tick))) continue;
    std::ostringstream text;
    text << "tick " << tick << " is " << sample.value << " instead of " << Value(series, tick);
    return text.str();
  }
  for (int64_t tick = promise.first_tick; tick <= promise.last_tick; ++tick) {
    if (Has(series, tick) && !found.contains(tick)) {
      return "tick " + std::to_string(tick) + " is lost, " + std::to_string(promise.first_tick) +
             " to " + std::to_string(promise.last_tick) + " were promised";
    }
  }
  return "";
}

// Every step that was over before the last promised tick: what the roll-up says of it.
std::string HistoryScript::CompareSteps(const History& history, int series, int64_t step_ticks,
                                        const Promise& promise) const {
  const promql::SelectHints hints = {0, TimeOf(ticks_), step_ticks * 1000, 0};
  constexpr GaugeView kViews[] = {GaugeView::kLast, GaugeView::kMin, GaugeView::kMax,
                                  GaugeView::kSum, GaugeView::kCount};
  const int64_t first = (promise.first_tick + step_ticks - 1) / step_ticks * step_ticks;
  std::map<int64_t, double> found[std::size(kViews)];
  const size_t views = IsCounter(series) ? 1 : std::size(kViews);
  for (size_t v = 0; v < views; ++v) {
    auto samples = Samples(history, Name(series), hints, kViews[v]);
    if (!samples.ok()) return samples.status().ToString();
    for (const promql::Sample& sample : *samples) found[v][sample.time_ms] = sample.value;
  }
  for (int64_t begin = first; begin + step_ticks < promise.last_tick; begin += step_ticks) {
    double expected[std::size(kViews)] = {0, HUGE_VAL, -HUGE_VAL, 0, 0};
    for (int64_t tick = begin + 1; tick <= begin + step_ticks; ++tick) {
      if (!Has(series, tick)) continue;
      const double value = Value(series, tick);
      expected[0] = value;
      expected[1] = std::min(expected[1], value);
      expected[2] = std::max(expected[2], value);
      expected[3] += value;
      ++expected[4];
    }
    if (expected[4] == 0) continue;
    for (size_t v = 0; v < views; ++v) {
      const auto point = found[v].find(TimeOf(begin + step_ticks));
      if (point == found[v].end()) return "no point for the step of tick " + std::to_string(begin);
      if (std::abs(point->second - expected[v]) <= 1e-12 * std::abs(expected[v])) continue;
      std::ostringstream text;
      text << "the step after tick " << begin << ", view " << v << ": " << point->second
           << " instead of " << expected[v];
      return text.str();
    }
  }
  return "";
}

// A history that came through is not only right, it also takes the next sample.
std::string HistoryScript::GoesOn(History& history, storage::TestClock& clock) const {
  const std::string name = "after";
  const storage::SeriesId id =
      history.Register(promql::Labels({{"__name__", name}}), storage::SeriesKind::kGauge);
  clock.Advance(1000);
  const std::pair<storage::SeriesId, double> value = {id, 42};
  if (const Status status = history.Append(clock.wall_ms, {&value, 1}); !status.ok()) {
    return "Append: " + status.ToString();
  }
  if (const Status status = history.Flush(); !status.ok()) return "Flush: " + status.ToString();
  const auto samples =
      Samples(history, name, {clock.wall_ms - 1, clock.wall_ms, 0, 0}, GaugeView::kLast);
  if (!samples.ok()) return samples.status().ToString();
  return samples->size() == 1 && (*samples)[0].value == 42 ? "" : "a new sample is not read back";
}

}  // namespace hearth::fault
