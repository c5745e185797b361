#include "firmware/api/rules_api.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/promql/answer_json.h"
#include "storage/promql/float_format.h"
#include "storage/promql/lexer.h"
#include "storage/promql/parser.h"
#include "storage/rules/time_text.h"

namespace hearth::api {

namespace {

using http::Request;
using http::Response;
using promql::AppendJsonString;
using rules::Alert;
using rules::AlertState;
using rules::Rfc3339;
using rules::Rule;

constexpr std::string_view kJson = "application/json";

void SendBadData(Response& response, const std::string& message) {
  std::string body = "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":";
  AppendJsonString(message, body);
  response.Send(400, kJson, body + '}');
}

void AppendText(std::string_view key, std::string_view text, std::string& json) {
  AppendJsonString(key, json);
  json += ':';
  AppendJsonString(text, json);
}

void AppendNumber(std::string_view key, double value, std::string& json) {
  AppendJsonString(key, json);
  json += ':';
  promql::AppendJsonFloat(value, json);
}

// "1e+00": Go's 'e' with as few digits as tell the value.
std::string ScientificText(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  const std::string_view written(text, static_cast<size_t>(end.ptr - text));
  if (written.ends_with("inf") || written.ends_with("nan")) return promql::FloatText(value);
  return std::string(written);
}

void AppendAlert(const Alert& alert, std::string& json) {
  json += "{\"labels\":";
  promql::AppendJson(alert.labels, json);
  json += ",\"annotations\":";
  promql::AppendJson(promql::Labels(alert.annotations), json);
  json += ',';
  AppendText("state", rules::AlertStateName(alert.state), json);
  json += ',';
  AppendText("activeAt", Rfc3339(alert.active_at_ms), json);
  if (alert.keep_firing_since_ms != 0) {
    json += ',';
    AppendText("keepFiringSince", Rfc3339(alert.keep_firing_since_ms), json);
  }
  json += ',';
  AppendText("value", ScientificText(alert.value), json);
  json += '}';
}

// Those that are pending or firing, as an array.
void AppendAlerts(const std::vector<Alert>& alerts, bool& first, std::string& json) {
  for (const Alert& alert : alerts) {
    if (alert.state == AlertState::kInactive) continue;
    if (!std::exchange(first, false)) json += ',';
    AppendAlert(alert, json);
  }
}

// Templates as they are written.
promql::Labels AsLabels(const std::vector<std::pair<std::string, rules::Template>>& templates) {
  std::vector<promql::Labels::Pair> pairs;
  for (const auto& [name, text] : templates) pairs.emplace_back(name, text.text());
  return promql::Labels(std::move(pairs));
}

void AppendAlertFields(const rules::RuleStatus& status, bool with_alerts, std::string& json) {
  AlertState state = AlertState::kInactive;
  for (const Alert& alert : status.alerts) state = std::max(state, alert.state);
  AppendText("state", rules::AlertStateName(state), json);
  json += ',';
  AppendNumber("duration", static_cast<double>(status.rule->for_ms) / 1000, json);
  json += ',';
  AppendNumber("keepFiringFor", static_cast<double>(status.rule->keep_firing_for_ms) / 1000, json);
  json += ",\"annotations\":";
  promql::AppendJson(AsLabels(status.rule->annotations), json);
  json += ",\"alerts\":[";
  bool first = true;
  if (with_alerts) AppendAlerts(status.alerts, first, json);
  json += "],";
}

void AppendRule(const rules::RuleStatus& status, bool with_alerts, std::string& json) {
  const bool is_alert = status.rule->kind == Rule::Kind::kAlert;
  json += '{';
  if (is_alert) AppendAlertFields(status, with_alerts, json);
  AppendText("name", status.rule->name, json);
  json += ',';
  AppendText("query", status.rule->query, json);
  json += ",\"labels\":";
  promql::AppendJson(AsLabels(status.rule->labels), json);
  json += ',';
  const bool failed = !status.last_error.empty();
  AppendText("health", !status.evaluated ? "unknown" : failed ? "err" : "ok", json);
  if (failed) {
    json += ',';
    AppendText("lastError", status.last_error, json);
  }
  json += ',';
  AppendNumber("evaluationTime", status.evaluation_s, json);
  json += ',';
  AppendText("lastEvaluation", Rfc3339(status.last_evaluation_ms), json);
  json += ',';
  AppendText("type", is_alert ? "alerting" : "recording", json);
  json += '}';
}

// What a request of /rules asks for. An empty list asks for all.
struct Filter {
  std::optional<Rule::Kind> kind;
  std::vector<std::string> rule_names, groups, files;
  std::vector<std::vector<promql::Matcher>> matchers;
  bool with_alerts = true;

  static bool Admits(const std::vector<std::string>& wanted, const std::string& text) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), text) != wanted.end();
  }
  bool Admits(const Rule& rule) const {
    if (kind && *kind != rule.kind) return false;
    if (!Admits(rule_names, rule.name)) return false;
    const promql::Labels labels = AsLabels(rule.labels);
    return matchers.empty() ||
           std::any_of(matchers.begin(), matchers.end(), [&](const auto& all) {
             return std::all_of(all.begin(), all.end(), [&](const promql::Matcher& matcher) {
               return matcher.Matches(labels.Get(matcher.name));
             });
           });
  }
};

Result<Filter> ReadFilter(const Request& request) {
  Filter filter;
  const std::string type = request.Parameter("type").value_or("");
  if (type == "alert") {
    filter.kind = Rule::Kind::kAlert;
  } else if (type == "record") {
    filter.kind = Rule::Kind::kRecord;
  } else if (!type.empty()) {
    return InvalidArgument("invalid parameter \"type\": not supported value " +
                           promql::Quote(type));
  }
  filter.rule_names = request.Parameters("rule_name[]");
  filter.groups = request.Parameters("rule_group[]");
  filter.files = request.Parameters("file[]");
  filter.with_alerts = request.Parameter("exclude_alerts").value_or("false") != "true";
  for (const std::string& text : request.Parameters("match[]")) {
    HEARTH_ASSIGN_OR_RETURN(auto matchers, promql::ParseMatchers(text));
    filter.matchers.push_back(std::move(matchers));
  }
  return filter;
}

// Nothing when no rule of it is asked for.
void AppendGroup(const rules::GroupStatus& status, const Filter& filter, std::string& json) {
  if (!Filter::Admits(filter.groups, status.group->name) ||
      !Filter::Admits(filter.files, status.group->file)) {
    return;
  }
  std::string list;
  for (const rules::RuleStatus& rule : status.rules) {
    if (!filter.Admits(*rule.rule)) continue;
    if (!list.empty()) list += ',';
    AppendRule(rule, filter.with_alerts, list);
  }
  if (list.empty()) return;
  json += json.ends_with('[') ? "{" : ",{";
  AppendText("name", status.group->name, json);
  json += ',';
  AppendText("file", status.group->file, json);
  json += ",\"rules\":[" + list + "],";
  AppendNumber("interval", static_cast<double>(status.group->interval_ms) / 1000, json);
  json += ',';
  AppendNumber("limit", static_cast<double>(status.group->limit), json);
  json += ',';
  AppendNumber("evaluationTime", status.evaluation_s, json);
  json += ',';
  AppendText("lastEvaluation", Rfc3339(status.last_evaluation_ms), json);
  json += '}';
}

}  // namespace

std::vector<http::Route> RulesRoutes(RuleGroupsFunction groups) {
  const auto rules_handler = [groups](const Request& request, Response& response) {
    const Result<Filter> filter = ReadFilter(request);
    if (!filter.ok()) return SendBadData(response, filter.status().message());
    std::string body = "{\"status\":\"success\",\"data\":{\"groups\":[";
    for (const rules::GroupStatus& group : groups()) AppendGroup(group, *filter, body);
    response.Send(200, kJson, body + "]}}");
  };
  const auto alerts_handler = [groups](const Request&, Response& response) {
    std::string body = "{\"status\":\"success\",\"data\":{\"alerts\":[";
    bool first = true;
    for (const rules::GroupStatus& group : groups()) {
      for (const rules::RuleStatus& rule : group.rules) AppendAlerts(rule.alerts, first, body);
    }
    response.Send(200, kJson, body + "]}}");
  };
  return {{"GET", "/api/v1/rules", http::Scope::kMetrics, rules_handler},
          {"GET", "/api/v1/alerts", http::Scope::kMetrics, alerts_handler}};
}

}  // namespace hearth::api
