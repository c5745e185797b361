#include "firmware/api/prometheus_api.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/limits.h"
#include "base/version.h"
#include "storage/promql/answer_json.h"
#include "storage/promql/evaluator.h"
#include "storage/promql/lexer.h"
#include "storage/promql/parser.h"

namespace hearth::api {

namespace {

using http::Request;
using http::Response;

constexpr std::string_view kJson = "application/json";

// Clients choose what they ask for by this version. It names the API and the language spoken here.
constexpr std::string_view kPrometheusVersion = "3.0.0";

struct ErrorKind {
  std::string_view type;
  int http_status;
};

ErrorKind KindOf(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument: return {"bad_data", 400};
    case StatusCode::kFailedPrecondition:
    case StatusCode::kResourceExhausted: return {"execution", 422};
    case StatusCode::kDeadlineExceeded: return {"timeout", 503};
    case StatusCode::kAborted: return {"canceled", 499};
    case StatusCode::kUnavailable: return {"unavailable", 503};
    case StatusCode::kNotFound: return {"not_found", 404};
    default: return {"internal", 500};
  }
}

void SendFailure(Response& response, const Status& status) {
  const ErrorKind kind = KindOf(status.code());
  std::string body = "{\"status\":\"error\",\"errorType\":\"";
  body += kind.type;
  body += "\",\"error\":";
  promql::AppendJsonString(status.message(), body);
  body += '}';
  response.Send(kind.http_status, kJson, body);
}

// A handler's answer: the JSON of "data" and what follows it.
struct Answer {
  std::string data;
  promql::Annotations annotations;
};

using Work = std::function<Result<Answer>(const Request&)>;

void Respond(const Work& work, const Request& request, Response& response) {
  Result<Answer> answer = work(request);
  if (!answer.ok()) return SendFailure(response, answer.status());
  std::string body = "{\"status\":\"success\",\"data\":";
  body += answer->data;
  promql::AppendJson(answer->annotations, body);
  body += '}';
  response.Send(200, kJson, body);
}

Status BadParameter(std::string_view name, const std::string& what) {
  return InvalidArgument("invalid parameter " + promql::Quote(name) + ": " + what);
}

// Unix seconds as Go's ParseFloat reads them.
std::optional<double> ParseSeconds(const std::string& text) {
  double value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// 2015-07-01T20:10:51.781Z, or with an offset such as +02:00.
std::optional<int64_t> ParseRfc3339Ms(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, used = 0;
  double second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || !(second >= 0 && second < 60)) return std::nullopt;
  const std::string zone = text.substr(static_cast<size_t>(used));
  int offset_minutes = 0;
  if (zone != "Z") {
    int zone_hours = 0, zone_minutes = 0, zone_used = 0;
    char sign = 0;
    if (std::sscanf(zone.c_str(), "%c%2d:%2d%n", &sign, &zone_hours, &zone_minutes, &zone_used) !=
            3 ||
        static_cast<size_t>(zone_used) != zone.size() || (sign != '+' && sign != '-')) {
      return std::nullopt;
    }
    offset_minutes = (sign == '-' ? -1 : 1) * (zone_hours * 60 + zone_minutes);
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t minutes = days * 1440 + hour * 60 + minute - offset_minutes;
  return minutes * 60'000 + std::llround(second * 1000);
}

Result<int64_t> TimeParameter(const Request& request, std::string_view name, int64_t absent_ms) {
  const std::optional<std::string> text = request.Parameter(name);
  if (!text || text->empty()) return absent_ms;
  if (const std::optional<double> seconds = ParseSeconds(*text)) {
    // Beyond this, milliseconds of windows and offsets could overflow.
    if (std::abs(*seconds) < 9.2e12) return static_cast<int64_t>(std::llround(*seconds * 1000));
  } else if (const std::optional<int64_t> milliseconds = ParseRfc3339Ms(*text)) {
    return *milliseconds;
  }
  return BadParameter(name, "cannot parse " + promql::Quote(*text) + " to a valid timestamp");
}

Result<int64_t> RequiredTime(const Request& request, std::string_view name) {
  if (request.Parameter(name).value_or("").empty()) {
    return BadParameter(name, "cannot parse \"\" to a valid timestamp");
  }
  return TimeParameter(request, name, 0);
}

Result<int64_t> DurationParameter(const Request& request, std::string_view name) {
  const std::string text = request.Parameter(name).value_or("");
  if (const std::optional<double> seconds = ParseSeconds(text)) {
    if (std::abs(*seconds) < 9.2e9) return static_cast<int64_t>(std::llround(*seconds * 1000));
    return BadParameter(name, "cannot parse " + promql::Quote(text) +
                                  " to a valid duration. It overflows int64");
  }
  Result<int64_t> duration = promql::ParseDurationMs(text);
  if (!duration.ok()) return BadParameter(name, duration.status().message());
  return duration;
}

// 0: no limit.
Result<size_t> LimitParameter(const Request& request) {
  const std::string text = request.Parameter("limit").value_or("");
  if (text.empty()) return size_t{0};
  size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    return BadParameter("limit",
                        "cannot parse " + promql::Quote(text) + " to a number of at least 0");
  }
  return limit;
}

template <typename T>
void Truncate(std::vector<T>& list, size_t limit, promql::Annotations& annotations) {
  if (limit == 0 || list.size() <= limit) return;
  list.resize(limit);
  annotations.warnings.emplace_back("results truncated due to limit");
}

// Each element of `list` as `append` writes it.
template <typename List, typename Append>
std::string JsonArray(const List& list, Append append) {
  std::string json = "[";
  for (const auto& item : list) {
    if (json.size() > 1) json += ',';
    append(item, json);
  }
  return json + ']';
}

class PrometheusApi {
 public:
  PrometheusApi(const promql::SeriesSource& source, const Clock* clock, MetadataFunction metadata)
      : source_(source), clock_(clock), metadata_(std::move(metadata)) {}

  Result<Answer> Query(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    HEARTH_ASSIGN_OR_RETURN(const int64_t time_ms,
                            TimeParameter(request, "time", clock_->WallMillis()));
    const std::string text = request.Parameter("query").value_or("");
    HEARTH_ASSIGN_OR_RETURN(const promql::EvalOptions options, Options(request, text));
    HEARTH_ASSIGN_OR_RETURN(const promql::ExprPtr expr, ParseQuery(text));
    HEARTH_ASSIGN_OR_RETURN(promql::Value value,
                            promql::EvalInstant(source_, *expr, time_ms, options));
    Truncate(value.series, limit, value.annotations);
    Answer answer;
    promql::AppendJson(value, answer.data);
    answer.annotations = std::move(value.annotations);
    return answer;
  }

  Result<Answer> QueryRange(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    HEARTH_ASSIGN_OR_RETURN(const int64_t start_ms, RequiredTime(request, "start"));
    HEARTH_ASSIGN_OR_RETURN(const int64_t end_ms, RequiredTime(request, "end"));
    if (end_ms < start_ms) {
      return BadParameter("end", "end timestamp must not be before start time");
    }
    HEARTH_ASSIGN_OR_RETURN(const int64_t step_ms, DurationParameter(request, "step"));
    if (step_ms <= 0) {
      return BadParameter("step", "zero or negative query resolution step widths are not accepted. "
                                  "Try a positive integer");
    }
    if ((end_ms - start_ms) / step_ms > limits::kQueryPointsMax) {
      return InvalidArgument("exceeded maximum resolution of 11,000 points per timeseries. Try "
                             "decreasing the query resolution (?step=XX)");
    }
    const std::string text = request.Parameter("query").value_or("");
    HEARTH_ASSIGN_OR_RETURN(const promql::EvalOptions options, Options(request, text));
    HEARTH_ASSIGN_OR_RETURN(const promql::ExprPtr expr, ParseQuery(text));
    const promql::ValueType type = expr->type();
    if (type != promql::ValueType::kScalar && type != promql::ValueType::kVector) {
      return BadParameter("query", "invalid expression type " +
                                       promql::Quote(promql::DocumentedName(type)) +
                                       " for range query, must be Scalar or instant Vector");
    }
    HEARTH_ASSIGN_OR_RETURN(promql::Matrix matrix,
                            promql::EvalRange(source_, *expr, start_ms, end_ms, step_ms, options));
    Truncate(matrix.series, limit, matrix.annotations);
    Answer answer;
    promql::AppendJson(matrix, answer.data);
    answer.annotations = std::move(matrix.annotations);
    return answer;
  }

  Result<Answer> Series(const Request& request) const {
    if (request.Parameters("match[]").empty()) {
      return InvalidArgument("no match[] parameter provided");
    }
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    HEARTH_ASSIGN_OR_RETURN(const std::set<promql::Labels> matched, MatchedSeries(request));
    std::vector<promql::Labels> series(matched.begin(), matched.end());
    Answer answer;
    Truncate(series, limit, answer.annotations);
    answer.data = JsonArray(series, [](const promql::Labels& labels, std::string& json) {
      promql::AppendJson(labels, json);
    });
    return answer;
  }

  Result<Answer> LabelNames(const Request& request) const {
    std::set<std::string> names;
    HEARTH_ASSIGN_OR_RETURN(const std::set<promql::Labels> series, MatchedSeries(request));
    for (const promql::Labels& labels : series) {
      for (const promql::Labels::Pair& pair : labels.pairs()) names.insert(pair.first);
    }
    return StringsAnswer(request, names);
  }

  Result<Answer> LabelValues(const Request& request) const {
    const std::string& name = request.path_parameters.at(0);
    if (name.empty()) return InvalidArgument("invalid label name: " + promql::Quote(name));
    std::set<std::string> values;
    HEARTH_ASSIGN_OR_RETURN(const std::set<promql::Labels> series, MatchedSeries(request));
    for (const promql::Labels& labels : series) {
      if (!labels.Get(name).empty()) values.insert(labels.Get(name));
    }
    return StringsAnswer(request, values);
  }

  Result<Answer> Metadata(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    const std::string wanted = request.Parameter("metric").value_or("");
    Answer answer;
    answer.data = "{";
    size_t count = 0;
    for (const auto& [name, metadata] : metadata_()) {
      if (!wanted.empty() && name != wanted) continue;
      if (limit != 0 && count == limit) break;
      if (count++ > 0) answer.data += ',';
      promql::AppendJsonString(name, answer.data);
      answer.data += ":[{\"type\":";
      promql::AppendJsonString(metadata.type, answer.data);
      answer.data += ",\"help\":";
      promql::AppendJsonString(metadata.help, answer.data);
      answer.data += ",\"unit\":";
      promql::AppendJsonString(metadata.unit, answer.data);
      answer.data += "}]";
    }
    answer.data += '}';
    return answer;
  }

  Result<Answer> FormatQuery(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const promql::ExprPtr expr,
                            ParseQuery(request.Parameter("query").value_or("")));
    Answer answer;
    promql::AppendJsonString(promql::Prettify(*expr), answer.data);
    return answer;
  }

  Result<Answer> BuildInfo(const Request&) const {
    Answer answer;
    answer.data = "{\"version\":";
    promql::AppendJsonString(kPrometheusVersion, answer.data);
    answer.data += ",\"revision\":";
    promql::AppendJsonString("hearth-" + std::string(kVersion), answer.data);
    answer.data += ",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}";
    return answer;
  }

 private:
  static Result<promql::ExprPtr> ParseQuery(const std::string& text) {
    Result<promql::ExprPtr> expr = promql::Parse(text);
    if (!expr.ok()) return BadParameter("query", expr.status().message());
    return expr;
  }

  // `text` outlives the options.
  static Result<promql::EvalOptions> Options(const Request& request, const std::string& text) {
    promql::EvalOptions options;
    options.query = text;
    if (!request.Parameter("timeout").value_or("").empty()) {
      HEARTH_ASSIGN_OR_RETURN(const int64_t timeout_ms, DurationParameter(request, "timeout"));
      options.timeout_s = std::min(options.timeout_s, static_cast<double>(timeout_ms) / 1000);
    }
    if (!request.Parameter("lookback_delta").value_or("").empty()) {
      HEARTH_ASSIGN_OR_RETURN(const int64_t lookback_ms,
                              DurationParameter(request, "lookback_delta"));
      if (lookback_ms > 0) options.lookback_ms = lookback_ms;
    }
    return options;
  }

  // Series that fit any `match[]` (all series without one) and have samples between start and end.
  Result<std::set<promql::Labels>> MatchedSeries(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const int64_t start_ms, TimeParameter(request, "start", 0));
    HEARTH_ASSIGN_OR_RETURN(const int64_t end_ms,
                            TimeParameter(request, "end", std::numeric_limits<int64_t>::max() / 2));
    if (end_ms < start_ms) {
      return BadParameter("end", "end timestamp must not be before start time");
    }
    std::vector<std::vector<promql::Matcher>> selectors;
    for (const std::string& text : request.Parameters("match[]")) {
      Result<std::vector<promql::Matcher>> matchers = promql::ParseMatchers(text);
      if (!matchers.ok()) return BadParameter("match[]", matchers.status().message());
      selectors.push_back(std::move(matchers).value());
    }
    if (selectors.empty()) selectors.emplace_back();
    std::set<promql::Labels> series;
    for (const std::vector<promql::Matcher>& matchers : selectors) {
      HEARTH_ASSIGN_OR_RETURN(std::vector<promql::Labels> found,
                              source_.SeriesLabels(matchers, start_ms, end_ms));
      for (promql::Labels& labels : found) series.insert(std::move(labels));
    }
    return series;
  }

  static Result<Answer> StringsAnswer(const Request& request, const std::set<std::string>& texts) {
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    std::vector<std::string> list(texts.begin(), texts.end());
    Answer answer;
    Truncate(list, limit, answer.annotations);
    answer.data = JsonArray(list, [](const std::string& text, std::string& json) {
      promql::AppendJsonString(text, json);
    });
    return answer;
  }

  const promql::SeriesSource& source_;
  const Clock* clock_;
  const MetadataFunction metadata_;
};

}  // namespace

std::vector<http::Route> PrometheusRoutes(const promql::SeriesSource& source, const Clock* clock,
                                          MetadataFunction metadata) {
  const auto api = std::make_shared<const PrometheusApi>(source, clock, std::move(metadata));
  using Method = Result<Answer> (PrometheusApi::*)(const Request&) const;
  std::vector<http::Route> routes;
  const auto add = [&](const char* method, const char* path, Method work) {
    routes.push_back({method, std::string("/api/v1/") + path, http::Scope::kMetrics,
                      [api, work](const Request& request, Response& response) {
                        Respond([&](const Request& r) { return (*api.*work)(r); }, request,
                                response);
                      }});
  };
  for (const char* method : {"GET", "POST"}) {
    add(method, "query", &PrometheusApi::Query);
    add(method, "query_range", &PrometheusApi::QueryRange);
    add(method, "series", &PrometheusApi::Series);
    add(method, "labels", &PrometheusApi::LabelNames);
    add(method, "format_query", &PrometheusApi::FormatQuery);
  }
  add("GET", "label/{}/values", &PrometheusApi::LabelValues);
  add("GET", "metadata", &PrometheusApi::Metadata);
  add("GET", "status/buildinfo", &PrometheusApi::BuildInfo);
  return routes;
}

}  // namespace hearth::api
