#include "firmware/api/prometheus_api.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/limits.h"
#include "firmware/api/prometheus_answer.h"
#include "firmware/api/prometheus_parameters.h"
#include "storage/promql/answer_json.h"
#include "storage/promql/evaluator.h"
#include "storage/promql/lexer.h"
#include "storage/promql/parser.h"
#include "storage/promql/tree_json.h"

namespace hearth::api {

namespace {

using http::Request;

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

void AppendMetadata(const MetricMetadata& metadata, std::string& json) {
  json += "{\"type\":";
  promql::AppendJsonString(metadata.type, json);
  json += ",\"help\":";
  promql::AppendJsonString(metadata.help, json);
  json += ",\"unit\":";
  promql::AppendJsonString(metadata.unit, json);
  json += '}';
}

// -1 when absent.
Result<int64_t> NumberParameter(const Request& request, const char* name) {
  const std::string text = request.Parameter(name).value_or("");
  if (text.empty()) return int64_t{-1};
  Result<int64_t> number = ParseGoInteger(text);
  if (!number.ok()) return InvalidArgument(std::string(name) + " must be a number");
  return number;
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
    return AnswerOf(request, std::move(value));
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
    return AnswerOf(request, std::move(matrix));
  }

  // The history keeps no exemplars; the shape is that of a Prometheus without any.
  Result<Answer> QueryExemplars(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const int64_t start_ms, TimeParameter(request, "start", kMinTimeMs));
    HEARTH_ASSIGN_OR_RETURN(const int64_t end_ms, TimeParameter(request, "end", kMaxTimeMs));
    if (end_ms < start_ms) {
      return InvalidArgument("end timestamp must not be before start timestamp");
    }
    const std::string text = request.Parameter("query").value_or("");
    HEARTH_RETURN_IF_ERROR(CheckLength(text));
    HEARTH_RETURN_IF_ERROR(promql::Parse(text).status());
    return Answer{"[]", {}};
  }

  Result<Answer> Series(const Request& request) const {
    if (request.Parameters("match[]").empty()) {
      return InvalidArgument("no match[] parameter provided");
    }
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    HEARTH_ASSIGN_OR_RETURN(const std::set<promql::Labels> matched,
                            MatchedSeries(request, "match[]"));
    std::vector<promql::Labels> series(matched.begin(), matched.end());
    Answer answer;
    Truncate(series, limit, answer.annotations);
    answer.data = JsonArray(series, [](const promql::Labels& labels, std::string& json) {
      promql::AppendJson(labels, json);
    });
    return answer;
  }

  Result<Answer> LabelNames(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    HEARTH_ASSIGN_OR_RETURN(const std::set<promql::Labels> series, MatchedSeries(request));
    std::set<std::string> names;
    for (const promql::Labels& labels : series) {
      for (const promql::Labels::Pair& pair : labels.pairs()) names.insert(pair.first);
    }
    return StringsAnswer(names, limit);
  }

  Result<Answer> LabelValues(const Request& request) const {
    const std::string& name = request.path_parameters.at(0);
    if (name.empty()) return InvalidArgument("invalid label name: " + promql::Quote(name));
    HEARTH_ASSIGN_OR_RETURN(const size_t limit, LimitParameter(request));
    HEARTH_ASSIGN_OR_RETURN(const std::set<promql::Labels> series, MatchedSeries(request));
    std::set<std::string> values;
    for (const promql::Labels& labels : series) {
      if (!labels.Get(name).empty()) values.insert(labels.Get(name));
    }
    return StringsAnswer(values, limit);
  }

  Result<Answer> Metadata(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const int64_t limit, NumberParameter(request, "limit"));
    // A name has one description here, so that limit_per_metric leaves nothing out.
    HEARTH_RETURN_IF_ERROR(NumberParameter(request, "limit_per_metric").status());
    const std::string wanted = request.Parameter("metric").value_or("");
    Answer answer;
    answer.data = "{";
    int64_t count = 0;
    for (const auto& [name, metadata] : metadata_()) {
      if (!wanted.empty() && name != wanted) continue;
      if (limit >= 0 && count == limit) break;
      if (count++ > 0) answer.data += ',';
      promql::AppendJsonString(name, answer.data);
      answer.data += ":[";
      AppendMetadata(metadata, answer.data);
      answer.data += ']';
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

  Result<Answer> ParsedQuery(const Request& request) const {
    HEARTH_ASSIGN_OR_RETURN(const promql::ExprPtr expr,
                            ParseQuery(request.Parameter("query").value_or("")));
    return Answer{DumpJson(promql::TreeJson(*expr)), {}};
  }

 private:
  static Status CheckLength(const std::string& text) {
    if (text.size() <= limits::kQueryBytesMax) return Status::Ok();
    return InvalidArgument("the query has " + std::to_string(text.size()) + " bytes, at most " +
                           std::to_string(limits::kQueryBytesMax) + " are read; shorten it");
  }

  static Result<promql::ExprPtr> ParseQuery(const std::string& text) {
    Status length = CheckLength(text);
    if (!length.ok()) return BadParameter("query", length.message());
    Result<promql::ExprPtr> expr = promql::Parse(text);
    if (!expr.ok()) return BadParameter("query", expr.status().message());
    return expr;
  }

  // `text` outlives the options. A timeout can shorten the default, never lengthen it.
  static Result<promql::EvalOptions> Options(const Request& request, const std::string& text) {
    promql::EvalOptions options;
    options.query = text;
    if (!request.Parameter("timeout").value_or("").empty()) {
      HEARTH_ASSIGN_OR_RETURN(const int64_t timeout_ms, DurationParameter(request, "timeout"));
      options.timeout_s = std::min(options.timeout_s, static_cast<double>(timeout_ms) / 1000);
    }
    if (const std::string text_of = request.Parameter("lookback_delta").value_or("");
        !text_of.empty()) {
      const Result<int64_t> lookback_ms = ParseDurationText(text_of);
      if (!lookback_ms.ok()) {
        return InvalidArgument("error parsing lookback delta duration: " +
                               lookback_ms.status().message());
      }
      if (*lookback_ms > 0) options.lookback_ms = *lookback_ms;
    }
    return options;
  }

  // `value` is a Value or a Matrix.
  template <typename T>
  static Answer AnswerOf(const Request& request, T value) {
    Answer answer;
    promql::AppendJson(value, answer.data);
    if (!request.Parameter("stats").value_or("").empty()) {
      answer.data.pop_back();
      answer.data += ",\"stats\":";
      promql::AppendJson(value.stats, answer.data);
      answer.data += '}';
    }
    answer.annotations = std::move(value.annotations);
    return answer;
  }

  // Series that fit any `match[]` (all series without one) and have samples between start and end.
  // A bad matcher is blamed on `parameter`, if there is one.
  Result<std::set<promql::Labels>> MatchedSeries(const Request& request,
                                                 const char* parameter = nullptr) const {
    HEARTH_ASSIGN_OR_RETURN(const int64_t start_ms, TimeParameter(request, "start", kMinTimeMs));
    HEARTH_ASSIGN_OR_RETURN(const int64_t end_ms, TimeParameter(request, "end", kMaxTimeMs));
    auto selectors = MatcherSets(request);
    if (!selectors.ok() && parameter != nullptr) {
      return BadParameter(parameter, selectors.status().message());
    }
    HEARTH_RETURN_IF_ERROR(selectors.status());
    if (selectors->empty()) selectors->emplace_back();
    std::set<promql::Labels> series;
    for (const std::vector<promql::Matcher>& matchers : *selectors) {
      HEARTH_ASSIGN_OR_RETURN(std::vector<promql::Labels> found,
                              source_.SeriesLabels(matchers, start_ms, end_ms));
      for (promql::Labels& labels : found) series.insert(std::move(labels));
    }
    return series;
  }

  static Result<Answer> StringsAnswer(const std::set<std::string>& texts, size_t limit) {
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
    routes.push_back(PrometheusRoute(
        method, path, [api, work](const Request& request) { return (*api.*work)(request); }));
  };
  for (const char* method : {"GET", "POST"}) {
    add(method, "query", &PrometheusApi::Query);
    add(method, "query_range", &PrometheusApi::QueryRange);
    add(method, "query_exemplars", &PrometheusApi::QueryExemplars);
    add(method, "series", &PrometheusApi::Series);
    add(method, "labels", &PrometheusApi::LabelNames);
    add(method, "format_query", &PrometheusApi::FormatQuery);
    add(method, "parse_query", &PrometheusApi::ParsedQuery);
  }
  add("GET", "label/{}/values", &PrometheusApi::LabelValues);
  add("GET", "metadata", &PrometheusApi::Metadata);
  return routes;
}

}  // namespace hearth::api
