// Prometheus's API over a history of samples that are given, not taken: what the box would answer had
// it recorded them. Prints its URL, then what the history holds, and serves until stdin ends.
//   history_server <directory>            the history.db that lies there
//   history_server <directory> --replay   fills it from stdin first; nothing is served before "serve"
//
// stdin of a replay, a line each:
//   series counter|gauge {"__name__":"a","label":"value"}   numbered from 0
//   frame <milliseconds> <value> ...                        in that order; - where a series has none
//   serve
#include <charconv>
#include <cstdio>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "firmware/api/prometheus_api.h"
#include "firmware/http/server.h"
#include "storage/history.h"

namespace hearth {
namespace {

using storage::History;

// Stands where the newest sample is.
class SampleClock : public Clock {
 public:
  double MonotonicSeconds() const override { return hearth::MonotonicSeconds(); }
  double BootSeconds() const override { return static_cast<double>(wall_ms_) / 1000; }
  int64_t WallMillis() const override { return wall_ms_ > 0 ? wall_ms_ : hearth::WallMillis(); }
  void Set(int64_t wall_ms) { wall_ms_ = wall_ms; }

 private:
  int64_t wall_ms_ = 0;
};

Result<double> ParseValue(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument("a value is '" + std::string(text) + "', which is not a number");
  }
  return value;
}

// Time runs faster here than a writer that commits once a minute was made for.
constexpr int64_t kFramesPerCommit = 600;

class Replay {
 public:
  Replay(History* history, SampleClock* clock) : history_(history), clock_(clock) {}

  Status Line(const std::string& line) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "series") return AddSeries(words);
    if (kind == "frame") return AddFrame(words);
    return InvalidArgument("a line begins with '" + kind + "'; it must be series, frame or serve");
  }

 private:
  Status AddSeries(std::istream& words) {
    std::string kind;
    std::string text;
    words >> kind;
    std::getline(words, text);
    HEARTH_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
    std::vector<promql::Labels::Pair> labels;
    for (const auto& [name, value] : json.items()) labels.emplace_back(name, value);
    ids_.push_back(history_->Register(promql::Labels(std::move(labels)),
                                      kind == "counter" ? storage::SeriesKind::kCounter
                                                        : storage::SeriesKind::kGauge));
    return Status::Ok();
  }

  Status AddFrame(std::istream& words) {
    int64_t time_ms = 0;
    words >> time_ms;
    values_.clear();
    size_t at = 0;
    for (std::string word; words >> word; ++at) {
      if (word == "-") continue;
      HEARTH_ASSIGN_OR_RETURN(const double value, ParseValue(word));
      values_.emplace_back(ids_.at(at), value);
    }
    clock_->Set(time_ms);
    HEARTH_RETURN_IF_ERROR(history_->Append(time_ms, values_));
    return ++frames_ % kFramesPerCommit == 0 ? history_->Flush() : Status::Ok();
  }

  History* const history_;
  SampleClock* const clock_;
  std::vector<storage::SeriesId> ids_;
  std::vector<std::pair<storage::SeriesId, double>> values_;
  int64_t frames_ = 0;
};

// What the history holds, by tier.
Json Sizes(const storage::HistoryStats& stats) {
  Json tiers = Json::array();
  for (const storage::TierStats& tier : stats.tiers) {
    tiers.push_back({{"name", tier.name}, {"rows", tier.stored.rows}, {"bytes", tier.stored.bytes}});
  }
  return {{"series", stats.series}, {"samples", stats.samples_appended},
          {"lost", stats.frames_lost}, {"tiers", std::move(tiers)}};
}

Status Serve(const std::string& directory, bool replay) {
  SampleClock clock;
  storage::HistoryOptions options;
  options.path = directory + "/history.db";
  HEARTH_ASSIGN_OR_RETURN(const std::unique_ptr<History> history, History::Open(options, &clock));
  Replay lines(history.get(), &clock);
  for (std::string line; replay && std::getline(std::cin, line) && line != "serve";) {
    HEARTH_RETURN_IF_ERROR(lines.Line(line));
  }
  http::Router router;
  for (http::Route& route : api::PrometheusRoutes(*history, &clock, [] {
         return std::map<std::string, api::MetricMetadata>();
       })) {
    router.Add(std::move(route));
  }
  HEARTH_ASSIGN_OR_RETURN(const std::unique_ptr<http::Server> server,
                          http::Server::Start({}, std::move(router)));
  HEARTH_RETURN_IF_ERROR(history->Flush());
  std::printf("%s\n%s\n", server->url().c_str(), DumpJson(Sizes(history->stats())).c_str());
  std::fflush(stdout);
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  return Status::Ok();
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) {
  if (argc < 2 || (argc > 2 && std::string_view(argv[2]) != "--replay")) {
    std::fprintf(stderr, "usage: history_server <directory> [--replay]\n");
    return 2;
  }
  hearth::SetLogLevel(hearth::LogLevel::kWarning);
  const hearth::Status status = hearth::Serve(argv[1], argc > 2);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
