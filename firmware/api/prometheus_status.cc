#include "firmware/api/prometheus_status.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <thread>
#include <utility>

#include "base/json.h"
#include "base/version.h"
#include "firmware/api/prometheus_answer.h"
#include "firmware/api/prometheus_parameters.h"
#include "storage/promql/parser.h"
#include "storage/rules/time_text.h"

namespace hearth::api {

namespace {

using http::Request;
using promql::Labels;

// Clients choose what they ask for by this version. It names the API and the language spoken here.
constexpr std::string_view kPrometheusVersion = "3.0.0";

constexpr int64_t kCardinalityRows = 10;
constexpr int64_t kCardinalityRowsMax = 10'000;

Result<Answer> AnswerOf(const Json& data) { return Answer{DumpJson(data), {}}; }

std::string HostName() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

int64_t ThreadCount() {
  std::error_code error;
  int64_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count;
}

using Counts = std::map<std::string, int64_t>;

// [{"name":..., "value":...}], the largest first.
Json Largest(const Counts& counts, int64_t rows) {
  std::vector<std::pair<std::string, int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (static_cast<int64_t>(sorted.size()) > rows) sorted.resize(static_cast<size_t>(rows));
  Json list = Json::array();
  for (const auto& [name, value] : sorted) list.push_back({{"name", name}, {"value", value}});
  return list;
}

class StatusApi {
 public:
  StatusApi(const promql::SeriesSource& source, const Clock* clock, ServerFacts facts)
      : source_(source), clock_(clock), facts_(std::move(facts)) {}

  Result<Answer> BuildInfo(const Request&) const {
    return AnswerOf({{"version", kPrometheusVersion},
                     {"revision", "hearth-" + std::string(kVersion)},
                     {"branch", ""},
                     {"buildUser", ""},
                     {"buildDate", ""},
                     {"goVersion", ""}});
  }

  Result<Answer> RuntimeInfo(const Request&) const {
    std::error_code error;
    // Where a field is about Go's runtime, it is told what comes closest: threads for goroutines.
    return AnswerOf({{"startTime", rules::Rfc3339(facts_.start_time_ms)},
                     {"CWD", std::filesystem::current_path(error).string()},
                     {"hostname", HostName()},
                     {"serverTime", rules::Rfc3339(clock_->WallMillis())},
                     {"reloadConfigSuccess", true},
                     {"lastConfigTime", rules::Rfc3339(facts_.start_time_ms)},
                     {"corruptionCount", 0},
                     {"goroutineCount", ThreadCount()},
                     {"GOMAXPROCS", std::thread::hardware_concurrency()},
                     {"GOMEMLIMIT", std::numeric_limits<int64_t>::max()},
                     {"GOGC", ""},
                     {"GODEBUG", ""},
                     {"storageRetention", facts_.storage_retention}});
  }

  Result<Answer> Config(const Request&) const { return AnswerOf({{"yaml", facts_.config_yaml}}); }

  Result<Answer> Flags(const Request&) const {
    Json flags = Json::object();
    for (const auto& [name, value] : facts_.flags) flags[name] = value;
    return AnswerOf(flags);
  }

  Result<Answer> Tsdb(const Request& request) const {
    int64_t rows = kCardinalityRows;
    if (const std::string text = request.Parameter("limit").value_or(""); !text.empty()) {
      const Result<int64_t> given = ParseGoInteger(text);
      if (!given.ok() || *given < 1) return InvalidArgument("limit must be a positive number");
      if (*given > kCardinalityRowsMax) {
        return InvalidArgument("limit must not exceed " + std::to_string(kCardinalityRowsMax));
      }
      rows = *given;
    }
    HEARTH_ASSIGN_OR_RETURN(const std::vector<Labels> series,
                            source_.SeriesLabels({}, kMinTimeMs, kMaxTimeMs));
    Counts by_metric, by_pair, values_of, bytes_of;
    for (const Labels& labels : series) {
      for (const auto& [name, value] : labels.pairs()) {
        if (name == "__name__") ++by_metric[value];
        if (++by_pair[name + "=" + value] == 1) ++values_of[name];
        bytes_of[name] += static_cast<int64_t>(value.size());
      }
    }
    const StoredFacts stored = facts_.stored();
    return AnswerOf({{"headStats",
                      {{"numSeries", series.size()},
                       {"numLabelPairs", by_pair.size()},
                       {"chunkCount", stored.chunks},
                       {"minTime", stored.oldest_ms},
                       {"maxTime", clock_->WallMillis()}}},
                     {"seriesCountByMetricName", Largest(by_metric, rows)},
                     {"labelValueCountByLabelName", Largest(values_of, rows)},
                     {"memoryInBytesByLabelName", Largest(bytes_of, rows)},
                     {"seriesCountByLabelValuePair", Largest(by_pair, rows)}});
  }

  // The history is open before HTTP answers, so that nothing is ever being replayed.
  Result<Answer> WalReplay(const Request&) const {
    return AnswerOf({{"min", 0}, {"max", 0}, {"current", 0}});
  }

  // The box samples itself and scrapes nobody.
  Result<Answer> Targets(const Request&) const {
    return AnswerOf({{"activeTargets", Json::array()},
                     {"droppedTargets", Json::array()},
                     {"droppedTargetCounts", Json::object()}});
  }
  Result<Answer> TargetsMetadata(const Request& request) const {
    if (const std::string text = request.Parameter("limit").value_or("");
        !text.empty() && !ParseGoInteger(text).ok()) {
      return InvalidArgument("limit must be a number");
    }
    if (const std::string text = request.Parameter("match_target").value_or(""); !text.empty()) {
      const Status matchers = promql::ParseMatchers(text).status();
      if (!matchers.ok()) return BadParameter("match_target", matchers.message());
    }
    return Answer{"[]", {}};
  }
  Result<Answer> ScrapePools(const Request&) const {
    return AnswerOf({{"scrapePools", Json::array()}});
  }
  Result<Answer> Alertmanagers(const Request&) const {
    Json active = Json::array();
    for (const std::string& url : facts_.alertmanager_urls) active.push_back({{"url", url}});
    return AnswerOf(
        {{"activeAlertmanagers", std::move(active)}, {"droppedAlertmanagers", Json::array()}});
  }
  Result<Answer> Notifications(const Request&) const { return Answer{"[]", {}}; }

 private:
  const promql::SeriesSource& source_;
  const Clock* const clock_;
  const ServerFacts facts_;
};

}  // namespace

std::vector<http::Route> PrometheusStatusRoutes(const promql::SeriesSource& source,
                                                const Clock* clock, ServerFacts facts) {
  const auto api = std::make_shared<const StatusApi>(source, clock, std::move(facts));
  using Method = Result<Answer> (StatusApi::*)(const Request&) const;
  std::vector<http::Route> routes;
  const auto add = [&](const char* path, Method work) {
    routes.push_back(PrometheusRoute(
        "GET", path, [api, work](const Request& request) { return (*api.*work)(request); }));
  };
  add("status/buildinfo", &StatusApi::BuildInfo);
  add("status/runtimeinfo", &StatusApi::RuntimeInfo);
  add("status/config", &StatusApi::Config);
  add("status/flags", &StatusApi::Flags);
  add("status/tsdb", &StatusApi::Tsdb);
  add("status/walreplay", &StatusApi::WalReplay);
  add("targets", &StatusApi::Targets);
  add("targets/metadata", &StatusApi::TargetsMetadata);
  add("scrape_pools", &StatusApi::ScrapePools);
  add("alertmanagers", &StatusApi::Alertmanagers);
  add("notifications", &StatusApi::Notifications);
  return routes;
}

}  // namespace hearth::api
