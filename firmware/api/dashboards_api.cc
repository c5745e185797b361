#include "firmware/api/dashboards_api.h"

#include <memory>

#include "firmware/api/undrawn.h"

namespace hearth::api {
namespace {

constexpr const char* kCollection = "/api/dashboards";
constexpr const char* kOne = "/api/dashboards/{}";

const char* SourceOf(const DashboardMeta& meta) { return meta.is_shipped ? "shipped" : "uploaded"; }

Result<Json> ReadObject(const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(Json json, ParseJson(request.body));
  if (!json.is_object()) return InvalidArgument("the body must be a JSON object");
  return json;
}

Json RowOf(const DashboardMeta& meta) {
  const DashboardSummary& summary = meta.summary;
  return {{"uid", summary.uid},         {"title", summary.title},
          {"description", summary.description}, {"tags", summary.tags},
          {"source", SourceOf(meta)},   {"version", meta.version},
          {"updated_ms", meta.updated_ms}, {"panels", summary.panels}};
}

Json ListOf(const DashboardStore& store) {
  Json rows = Json::array();
  for (const DashboardMeta& meta : store.List()) rows.push_back(RowOf(meta));
  return {{"dashboards", std::move(rows)}};
}

// What is answered to a change, of which `dashboard` was sent.
Json Written(const DashboardMeta& meta, const Json& dashboard, const Json& features) {
  return {{"uid", meta.summary.uid},
          {"url", "/d/" + meta.summary.uid},
          {"title", meta.summary.title},
          {"version", meta.version},
          {"undrawn", UndrawnJson(UndrawnOf(dashboard, features))}};
}

Result<Json> Show(DashboardStore& store, const Json& features, const std::string& uid) {
  HEARTH_ASSIGN_OR_RETURN(const Dashboard dashboard, store.Get(uid));
  return Json{{"dashboard", dashboard.json},
              {"meta",
               {{"source", SourceOf(dashboard.meta)},
                {"version", dashboard.meta.version},
                {"updated_ms", dashboard.meta.updated_ms},
                {"undrawn", UndrawnJson(UndrawnOf(dashboard.json, features))}}}};
}

Result<Json> Add(DashboardStore& store, const Json& features, const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
  HEARTH_ASSIGN_OR_RETURN(const SentDashboard sent, ReadSentDashboard(body));
  HEARTH_ASSIGN_OR_RETURN(const DashboardMeta meta, store.Add(sent));
  return Written(meta, sent.json, features);
}

Result<Json> Change(DashboardStore& store, const Json& features, const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
  const auto dashboard = body.find("dashboard");
  const auto version = body.find("version");
  if (dashboard == body.end() || !dashboard->is_object()) {
    return InvalidArgument("the field 'dashboard' must be a dashboard");
  }
  if (version == body.end() || !version->is_number_integer()) {
    return InvalidArgument("the field 'version' must be the version that was changed, as "
                           "GET says it in meta.version");
  }
  HEARTH_ASSIGN_OR_RETURN(const DashboardMeta meta,
                          store.Change(request.path_parameters.at(0), *dashboard, *version));
  return Written(meta, *dashboard, features);
}

Result<Json> Rename(DashboardStore& store, const Json& features, const http::Request& request) {
  const std::string& uid = request.path_parameters.at(0);
  HEARTH_ASSIGN_OR_RETURN(const Json body, ReadObject(request));
  if (body.size() != 1 || !body.contains("title") || !body["title"].is_string()) {
    return InvalidArgument("the body must be {\"title\": the new title}; PUT changes the rest");
  }
  HEARTH_RETURN_IF_ERROR(store.Rename(uid, body["title"].get<std::string>()).status());
  HEARTH_ASSIGN_OR_RETURN(const Dashboard renamed, store.Get(uid));
  return Written(renamed.meta, renamed.json, features);
}

void Answer(http::Response& response, int http_status, const Result<Json>& json) {
  if (!json.ok()) return http::SendStatus(response, json.status());
  response.SetHeader("Cache-Control", "no-store");
  response.Send(http_status, "application/json", DumpJson(*json));
}

void Export(DashboardStore& store, const std::string& uid, http::Response& response) {
  const auto dashboard = store.Get(uid);
  if (!dashboard.ok()) return http::SendStatus(response, dashboard.status());
  const std::string name = SlugOf(dashboard->meta.summary.title) + ".json";
  response.SetHeader("Cache-Control", "no-store");
  response.SetHeader("Content-Disposition", "attachment; filename=\"" + name + "\"");
  response.Send(200, "application/json", DumpJson(ForGrafana(dashboard->json)));
}

}  // namespace

std::vector<http::Route> DashboardsRoutes(DashboardStore* store, Json drawn_features) {
  using http::Request, http::Response;
  const auto features = std::make_shared<const Json>(std::move(drawn_features));
  return {
      {"GET", kCollection, http::Scope::kMetrics,
       [=](const Request&, Response& response) { Answer(response, 200, ListOf(*store)); }},
      {"POST", kCollection, http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         const auto added = Add(*store, *features, request);
         const bool is_new = added.ok() && (*added)["version"] == 1;
         Answer(response, is_new ? 201 : 200, added);
       }},
      {"GET", kOne, http::Scope::kMetrics,
       [=](const Request& request, Response& response) {
         Answer(response, 200, Show(*store, *features, request.path_parameters.at(0)));
       }},
      {"GET", "/api/dashboards/{}/export", http::Scope::kMetrics,
       [=](const Request& request, Response& response) {
         Export(*store, request.path_parameters.at(0), response);
       }},
      {"PUT", kOne, http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         Answer(response, 200, Change(*store, *features, request));
       }},
      {"PATCH", kOne, http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         Answer(response, 200, Rename(*store, *features, request));
       }},
      {"DELETE", kOne, http::Scope::kAdmin,
       [=](const Request& request, Response& response) {
         const Status removed = store->Remove(request.path_parameters.at(0));
         Answer(response, 200, removed.ok() ? Result<Json>(Json::object()) : removed);
       }},
  };
}

}  // namespace hearth::api
