#include "firmware/api/usage_api.h"

namespace hearth::api {
namespace {

Json OptionalJson(const std::optional<bool>& value) { return value ? Json(*value) : Json(); }

// Of what is sent next where there is such a thing, else of what would be.
Json FieldsJson(const usage::UsageState& state) {
  const Json report = state.next_report.empty() ? state.example
                                                : ParseJson(state.next_report).value();
  Json fields = Json::array();
  for (const usage::UsageField& field : usage::UsageFields()) {
    const Json& group = field.is_tag ? report["extra_usage_tags"] : report;
    fields.push_back(Json{{"name", field.name},
                          {"tag", field.is_tag},
                          {"help", field.help},
                          {"value", group[field.name]}});
  }
  return fields;
}

Json LastJson(const usage::LastSending& last) {
  if (last.sent_ms == 0) return nullptr;
  return Json{{"sent_ms", last.sent_ms},
              {"status", last.status},
              {"error", last.error.empty() ? Json() : Json(last.error)}};
}

void Show(usage::UsageReporter& reporter, http::Response& response) {
  const usage::UsageState state = reporter.state();
  response.SetHeader("Cache-Control", "no-store");
  response.Send(
      200, "application/json",
      DumpJson(Json{{"enabled", OptionalJson(state.consent.enabled)},
                    {"decided_by", state.consent.decided_by},
                    {"decider", state.consent.decider},
                    {"place", state.consent.place},
                    {"can_change", state.consent.can_change},
                    {"receiver", reporter.options().receiver},
                    {"interval_s", reporter.options().interval_s},
                    {"next_report", state.next_report.empty() ? Json() : Json(state.next_report)},
                    {"example_report", usage::ReportText(state.example)},
                    {"due_ms", state.due_ms > 0 ? Json(state.due_ms) : Json()},
                    {"last", LastJson(state.last)},
                    {"fields", FieldsJson(state)}}));
}

Result<bool> ReadAnswer(const std::string& body) {
  HEARTH_ASSIGN_OR_RETURN(const Json json, ParseJson(body));
  if (!json.is_object() || json.size() != 1 || !json.contains("enabled") ||
      !json["enabled"].is_boolean()) {
    return InvalidArgument("the body must be {\"enabled\": true} or {\"enabled\": false}");
  }
  return json["enabled"].get<bool>();
}

void Answer(usage::UsageReporter& reporter, const http::Request& request,
            http::Response& response) {
  const auto enabled = ReadAnswer(request.body);
  if (!enabled.ok()) return http::SendStatus(response, enabled.status());
  const Status answered = reporter.Answer(*enabled);
  if (!answered.ok()) return http::SendStatus(response, answered);
  Show(reporter, response);
}

}  // namespace

std::vector<http::Route> UsageRoutes(usage::UsageReporter* reporter) {
  return {{"GET", "/api/usage", http::Scope::kAdmin,
           [=](const http::Request&, http::Response& response) { Show(*reporter, response); }},
          {"PUT", "/api/usage", http::Scope::kAdmin,
           [=](const http::Request& request, http::Response& response) {
             Answer(*reporter, request, response);
           }}};
}

}  // namespace hearth::api
