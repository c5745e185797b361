#include "firmware/api/rules_api.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "firmware/api/prometheus_answer.h"
#include "firmware/api/prometheus_parameters.h"
#include "storage/promql/answer_json.h"
#include "storage/promql/float_format.h"
#include "storage/promql/lexer.h"
#include "storage/rules/time_text.h"

namespace hearth::api {

namespace {

using http::Request;
using promql::AppendJsonString;
using rules::Alert;
using rules::AlertState;
using rules::Rfc3339;
using rules::Rule;

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
  size_t groups_max = 0;   // of one answer; 0: all
  std::string next_token;  // where the page begins

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

std::string LowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// As Go's ParseBool reads it, in any case.
Result<bool> ParseBool(const std::string& text) {
  const auto is = [&](std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
  };
  if (is({"1", "t", "true"})) return true;
  if (is({"", "0", "f", "false"})) return false;
  return InvalidArgument("error converting exclude_alerts: strconv.ParseBool: parsing " +
                         promql::Quote(text) + ": invalid syntax");
}

Status ReadPage(const Request& request, Filter& filter) {
  filter.next_token = request.Parameter("group_next_token").value_or("");
  const std::string text = request.Parameter("group_limit").value_or("");
  if (text.empty()) {
    if (filter.next_token.empty()) return Status::Ok();
    return BadParameter("group_next_token",
                        "group_limit needs to be present in order to paginate over the groups");
  }
  const Result<int64_t> limit = ParseGoInteger(text);
  if (!limit.ok()) {
    return BadParameter("group_limit",
                        "group_limit needs to be a valid number: " + limit.status().message());
  }
  if (*limit <= 0) return BadParameter("group_limit", "group_limit needs to be greater than 0");
  filter.groups_max = static_cast<size_t>(*limit);
  return Status::Ok();
}

Result<Filter> ReadFilter(const Request& request) {
  Filter filter;
  filter.rule_names = request.Parameters("rule_name[]");
  filter.groups = request.Parameters("rule_group[]");
  filter.files = request.Parameters("file[]");
  HEARTH_ASSIGN_OR_RETURN(filter.matchers, MatcherSets(request));
  const std::string type = LowerCase(request.Parameter("type").value_or(""));
  if (type == "alert") {
    filter.kind = Rule::Kind::kAlert;
  } else if (type == "record") {
    filter.kind = Rule::Kind::kRecord;
  } else if (!type.empty()) {
    return BadParameter("type", "not supported value " + promql::Quote(type));
  }
  const Result<bool> without = ParseBool(LowerCase(request.Parameter("exclude_alerts").value_or("")));
  if (!without.ok()) return BadParameter("exclude_alerts", without.status().message());
  filter.with_alerts = !*without;
  HEARTH_RETURN_IF_ERROR(ReadPage(request, filter));
  return filter;
}

// The rules of a group that are asked for, one after another.
std::string RulesJson(const rules::GroupStatus& status, const Filter& filter) {
  std::string list;
  if (!Filter::Admits(filter.groups, status.group->name) ||
      !Filter::Admits(filter.files, status.group->file)) {
    return list;
  }
  for (const rules::RuleStatus& rule : status.rules) {
    if (!filter.Admits(*rule.rule)) continue;
    if (!list.empty()) list += ',';
    AppendRule(rule, filter.with_alerts, list);
  }
  return list;
}

void AppendGroup(const rules::GroupStatus& status, const std::string& list, std::string& json) {
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

// Names a group across requests. No file's name holds a NUL.
std::string TokenOf(const rules::GroupStatus& status) {
  const std::string name = status.group->file + std::string(1, '\0') + status.group->name;
  char text[17];
  const auto hash = static_cast<unsigned long long>(std::hash<std::string>()(name));
  std::snprintf(text, sizeof text, "%016llx", hash);
  return text;
}

Result<Answer> ListRules(const std::vector<rules::GroupStatus>& groups, const Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Filter filter, ReadFilter(request));
  Answer answer{"{\"groups\":[", {}};
  size_t shown = 0;
  std::string next;
  bool begun = filter.next_token.empty();
  for (const rules::GroupStatus& group : groups) {
    begun = begun || TokenOf(group) == filter.next_token;
    if (!begun) continue;
    const std::string list = RulesJson(group, filter);
    if (list.empty()) continue;
    if (filter.groups_max > 0 && shown == filter.groups_max) {
      next = TokenOf(group);
      break;
    }
    AppendGroup(group, list, answer.data);
    ++shown;
  }
  if (!begun) {
    return BadParameter("group_next_token", "invalid group_next_token '" + filter.next_token +
                                                "'. were rule groups changed?");
  }
  answer.data += ']';
  if (!next.empty()) {
    answer.data += ',';
    AppendText("groupNextToken", next, answer.data);
  }
  answer.data += '}';
  return answer;
}

Result<Answer> ListAlerts(const std::vector<rules::GroupStatus>& groups) {
  Answer answer{"{\"alerts\":[", {}};
  bool first = true;
  for (const rules::GroupStatus& group : groups) {
    for (const rules::RuleStatus& rule : group.rules) {
      AppendAlerts(rule.alerts, first, answer.data);
    }
  }
  answer.data += "]}";
  return answer;
}

}  // namespace

std::vector<http::Route> RulesRoutes(RuleGroupsFunction groups) {
  return {
      PrometheusRoute("GET", "rules",
                      [groups](const Request& request) { return ListRules(groups(), request); }),
      PrometheusRoute("GET", "alerts",
                      [groups](const Request&) { return ListAlerts(groups()); })};
}

}  // namespace hearth::api
