#include "firmware/api/dashboard_json.h"

#include <algorithm>
#include <cstdio>

#include "base/limits.h"
#include "firmware/api/undrawn.h"

namespace hearth::api {
namespace {

constexpr std::string_view kSourceInput = "DS_PROMETHEUS";
// A value may hold "${OTHER}", so that each input can multiply the text by its value's length.
constexpr size_t kInputsMax = 64;
constexpr size_t kInputValueBytesMax = 256;
constexpr std::string_view kResourceGroup = "dashboard.grafana.app/";

bool IsWord(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsUid(std::string_view uid) {
  return !uid.empty() && uid.size() <= limits::kDashboardUidBytesMax &&
         std::all_of(uid.begin(), uid.end(),
                     [](char c) { return IsWord(c) || c == '-' || c == '_'; });
}

std::string TextOf(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

bool Has(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && !it->is_null();
}

// Every string of the value, changed in place. Depth is bounded by ParseJson.
template <typename Change>
void ForEachString(Json& value, const Change& change) {
  if (value.is_string()) {
    change(value.get_ref<std::string&>());
  } else if (value.is_structured()) {
    for (Json& element : value) ForEachString(element, change);
  }
}

void ReplaceAll(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

Status CheckSize(const Json& dashboard) {
  const size_t bytes = DumpJson(dashboard).size();
  if (bytes <= limits::kDashboardBytesMax) return Status::Ok();
  return InvalidArgument("a dashboard of " + std::to_string(bytes) +
                         " bytes is larger than the limit of " +
                         std::to_string(limits::kDashboardBytesMax) + "; split it");
}

// The inputs that Grafana's import would ask for, answered in the request.
Status TakeInputs(const Json& inputs, Json& dashboard) {
  if (!inputs.is_array() || inputs.size() > kInputsMax) {
    return InvalidArgument("the field 'inputs' must be an array of at most " +
                           std::to_string(kInputsMax));
  }
  for (const Json& input : inputs) {
    if (!input.is_object() || TextOf(input, "name").empty()) {
      return InvalidArgument("each of 'inputs' must be an object with a 'name'");
    }
    if (TextOf(input, "type") != "constant") continue;
    const std::string name = TextOf(input, "name"), value = TextOf(input, "value");
    if (value.size() > kInputValueBytesMax) {
      return InvalidArgument("the value of the input '" + name + "' has " +
                             std::to_string(value.size()) + " bytes, the limit is " +
                             std::to_string(kInputValueBytesMax));
    }
    HEARTH_RETURN_IF_ERROR(CheckSize(dashboard));
    if (const auto asked = dashboard.find("__inputs");
        asked != dashboard.end() && asked->is_array()) {
      Json others = Json::array();
      for (const Json& other : *asked) {
        if (!other.is_object() || TextOf(other, "name") != name) others.push_back(other);
      }
      *asked = std::move(others);
    }
    ForEachString(dashboard, [&](std::string& text) { ReplaceAll(text, "${" + name + "}", value); });
  }
  return Status::Ok();
}

Status RefuseSchema2() {
  return InvalidArgument(
      "this is a dashboard of Grafana's schema version 2 (\"elements\" instead of \"panels\"), which "
      "this box does not read; in Grafana choose Export, 'Export as JSON', model 'Classic', and "
      "send that file");
}

// The dashboard inside whatever wraps it.
Result<Json> Unwrap(const Json& body, SentDashboard& sent) {
  if (!body.is_object()) return InvalidArgument("the body must be a JSON object");
  if (TextOf(body, "apiVersion").starts_with(kResourceGroup)) {
    const auto spec = body.find("spec");
    if (spec == body.end() || !spec->is_object()) {
      return InvalidArgument("the resource '" + TextOf(body, "apiVersion") + "' has no 'spec'");
    }
    if (spec->contains("elements")) return RefuseSchema2();
    Json dashboard = *spec;
    const auto metadata = body.find("metadata");
    if (!Has(dashboard, "uid") && metadata != body.end() && metadata->is_object()) {
      dashboard["uid"] = TextOf(*metadata, "name");
    }
    return dashboard;
  }
  if (body.contains("elements") && !body.contains("panels")) return RefuseSchema2();
  const auto inner = body.find("dashboard");
  if (inner == body.end() || body.contains("panels")) return body;
  if (!inner->is_object()) return InvalidArgument("the field 'dashboard' must be an object");
  if (const auto overwrite = body.find("overwrite"); overwrite != body.end()) {
    if (!overwrite->is_boolean()) {
      return InvalidArgument("the field 'overwrite' must be true or false, not " +
                             DumpJson(*overwrite));
    }
    sent.overwrite = overwrite->get<bool>();
  }
  if (inner->contains("elements") && !inner->contains("panels")) return RefuseSchema2();
  Json dashboard = *inner;
  if (Has(body, "inputs")) HEARTH_RETURN_IF_ERROR(TakeInputs(body["inputs"], dashboard));
  return dashboard;
}

uint32_t Fnv1a(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

bool NamesInput(const Json& value, const std::string& reference) {
  if (value.is_string()) return value.get_ref<const std::string&>() == reference;
  if (!value.is_structured()) return false;
  return std::any_of(value.begin(), value.end(),
                     [&](const Json& element) { return NamesInput(element, reference); });
}

// Does `list` hold an object of this name?
bool HasNamed(const Json& object, const char* member, std::string_view name) {
  const auto list = object.find(member);
  if (list == object.end() || !list->is_array()) return false;
  return std::any_of(list->begin(), list->end(), [&](const Json& element) {
    return element.is_object() && TextOf(element, "name") == name;
  });
}

}  // namespace

std::string SlugOf(std::string_view title) {
  std::string slug;
  bool is_whole = true;
  for (const char c : title) {
    is_whole = is_whole && static_cast<unsigned char>(c) < 0x80;
    if (IsWord(c)) {
      slug += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  // Titles that differ in what a slug cannot say must not meet.
  constexpr size_t kHashBytes = 9;
  const bool is_long = slug.size() > limits::kDashboardUidBytesMax;
  if (is_long) slug.resize(limits::kDashboardUidBytesMax - kHashBytes);
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  if (is_whole && !is_long && !slug.empty()) return slug;
  if (slug.empty()) slug = "dashboard";
  slug.resize(std::min(slug.size(), limits::kDashboardUidBytesMax - kHashBytes));
  char hash[kHashBytes + 1];
  std::snprintf(hash, sizeof hash, "-%08x", Fnv1a(title));
  return slug + hash;
}

Status CheckDashboardTitle(const Json& title) {
  if (!title.is_string() || title.get_ref<const std::string&>().empty()) {
    return InvalidArgument("a dashboard must have a 'title' that is not empty");
  }
  if (const size_t bytes = title.get_ref<const std::string&>().size();
      bytes > limits::kDashboardTitleBytesMax) {
    return InvalidArgument("a title of " + std::to_string(bytes) + " bytes is longer than the limit of " +
                           std::to_string(limits::kDashboardTitleBytesMax) + "; shorten it");
  }
  return Status::Ok();
}

Status CheckDashboard(const Json& dashboard) {
  const auto title = dashboard.find("title");
  HEARTH_RETURN_IF_ERROR(CheckDashboardTitle(title == dashboard.end() ? Json() : *title));
  const auto uid = dashboard.find("uid");
  if (uid == dashboard.end() || !uid->is_string() || !IsUid(uid->get_ref<const std::string&>())) {
    return InvalidArgument("the uid " + (uid == dashboard.end() ? "null" : DumpJson(*uid)) +
                           " must be 1 to " + std::to_string(limits::kDashboardUidBytesMax) +
                           " letters, digits, '-' and '_'; leave it out to get one");
  }
  const bool has_panels = dashboard.contains("panels") || dashboard.contains("rows");
  for (const char* const name : {"panels", "rows"}) {
    const auto list = dashboard.find(name);
    const bool is_list = list == dashboard.end() || list->is_null() || list->is_array();
    const bool of_objects = is_list && (list == dashboard.end() || list->is_null() ||
                                        std::all_of(list->begin(), list->end(), [](const Json& e) {
                                          return e.is_object();
                                        }));
    if (!of_objects) {
      return InvalidArgument("the field '" + std::string(name) + "' must be an array of objects");
    }
  }
  if (!has_panels) {
    return InvalidArgument("the body is no Grafana dashboard: it has a title and no 'panels'; send "
                           "the file that Grafana's 'Export as JSON' gives");
  }
  if (const size_t panels = PanelsOf(dashboard).size();
      panels > static_cast<size_t>(limits::kDashboardPanelsMax)) {
    return InvalidArgument("a dashboard of " + std::to_string(panels) +
                           " panels has more than the limit of " +
                           std::to_string(limits::kDashboardPanelsMax) + "; split it");
  }
  return Status::Ok();
}

Result<SentDashboard> ReadSentDashboard(const Json& body) {
  SentDashboard sent;
  HEARTH_ASSIGN_OR_RETURN(sent.json, Unwrap(body, sent));
  const auto uid = sent.json.find("uid");
  const bool needs_uid = uid == sent.json.end() || uid->is_null() || *uid == "";
  if (needs_uid) sent.json["uid"] = SlugOf(TextOf(sent.json, "title"));
  HEARTH_RETURN_IF_ERROR(CheckDashboard(sent.json));
  sent.uid = sent.json["uid"].get<std::string>();
  return sent;
}

Json ForGrafana(const Json& dashboard) {
  const bool is_asked = HasNamed(dashboard, "__inputs", kSourceInput);
  const auto templating = dashboard.find("templating");
  const bool is_variable = templating != dashboard.end() && templating->is_object() &&
                           HasNamed(*templating, "list", kSourceInput);
  const std::string reference = "${" + std::string(kSourceInput) + "}";
  if (is_asked || is_variable || !NamesInput(dashboard, reference)) return dashboard;
  Json inputs = Json::array({{{"name", kSourceInput},
                              {"label", "Prometheus"},
                              {"description", "The appliance itself, or a Prometheus that scrapes it"},
                              {"type", "datasource"},
                              {"pluginId", "prometheus"},
                              {"pluginName", "Prometheus"}}});
  Json exported = {{"__inputs", Json()}};
  exported.update(dashboard);
  if (exported["__inputs"].is_array()) {
    for (const Json& input : dashboard["__inputs"]) inputs.push_back(input);
  }
  exported["__inputs"] = std::move(inputs);
  return exported;
}

DashboardSummary SummaryOf(const Json& dashboard) {
  DashboardSummary summary;
  summary.uid = TextOf(dashboard, "uid");
  summary.title = TextOf(dashboard, "title");
  summary.description = TextOf(dashboard, "description");
  if (const auto tags = dashboard.find("tags"); tags != dashboard.end() && tags->is_array()) {
    for (const Json& tag : *tags) {
      if (tag.is_string()) summary.tags.push_back(tag.get<std::string>());
    }
  }
  for (const Json* const panel : PanelsOf(dashboard)) {
    if (panel->is_object() && TextOf(*panel, "type") != "row") ++summary.panels;
  }
  return summary;
}

}  // namespace hearth::api
