#include "firmware/api/undrawn.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace hearth::api {
namespace {

using Inputs = std::map<std::string, std::string>;  // plugin ids of __inputs, by "${NAME}"

const Json& Member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}

// Elements of an array member; none when it is something else.
const Json& List(const Json& object, const char* name) {
  static const Json kEmpty = Json::array();
  const Json& list = Member(object, name);
  return list.is_array() ? list : kEmpty;
}

std::string Text(const Json& object, const char* name) {
  const Json& value = Member(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

// JavaScript's truth of a flag: Grafana writes builtIn as 1 and hide as true.
bool IsSet(const Json& object, const char* name) {
  const Json& value = Member(object, name);
  return (value.is_boolean() && value.get<bool>()) || (value.is_number() && value != 0);
}

bool IsDrawn(const Json& features, const char* kind, const std::string& id) {
  const Json& list = List(features, kind);
  return std::find(list.begin(), list.end(), id) != list.end();
}

Inputs InputsOf(const Json& dashboard) {
  Inputs inputs;
  for (const Json& input : List(dashboard, "__inputs")) {
    inputs["${" + Text(input, "name") + "}"] = Text(input, "pluginId");
  }
  return inputs;
}

// The type of a data source as a panel or target names it: an object with type and uid, or, before
// schema 33, a name. Empty when it does not say, which means the one the box has.
std::string SourceType(const Json& source, const Inputs& inputs) {
  const std::string name = source.is_string() ? source.get<std::string>() : Text(source, "uid");
  if (name == "-- Mixed --") return "mixed";
  if (name == "-- Grafana --") return "grafana";
  if (name == "-- Dashboard --") return "dashboard";
  if (const std::string type = Text(source, "type"); !type.empty()) return type;
  const auto input = inputs.find(name);
  return input == inputs.end() ? "" : input->second;
}

using Sentences = std::vector<std::string>;

Sentences OfSources(const Json& panel, const Json& features, const Inputs& inputs) {
  Sentences what;
  for (const Json& target : List(panel, "targets")) {
    if (IsSet(target, "hide")) continue;
    std::string type = SourceType(Member(target, "datasource"), inputs);
    if (type.empty()) type = SourceType(Member(panel, "datasource"), inputs);
    if (type.empty() || IsDrawn(features, "datasources", type)) continue;
    what.push_back("data source type " + type + " is not queried");
  }
  return what;
}

// A panel of the library with the model that the file may bring along, else the panel as it is.
Json WithLibraryModel(const Json& panel, const Json& dashboard) {
  const Json& library = Member(panel, "libraryPanel");
  const Json& elements = Member(dashboard, "__elements");
  const Json& model = Member(Member(elements, Text(library, "uid").c_str()), "model");
  const bool is_bare = library.is_object() && Member(panel, "targets").is_null();
  if (!is_bare || !model.is_object()) return panel;
  Json whole = model;
  whole.update(panel);
  return whole;
}

Sentences OfPanel(const Json& original, const Json& dashboard, const Json& features,
                  const Inputs& inputs) {
  const Json panel = WithLibraryModel(original, dashboard);
  const Json& library = Member(panel, "libraryPanel");
  if (library.is_object() && Member(panel, "targets").is_null()) {
    const std::string name = Text(library, Member(library, "name").is_null() ? "uid" : "name");
    return {"library panel \"" + name + "\" is not part of the file"};
  }
  const std::string type = Text(panel, "type");
  if (!IsDrawn(features, "panels", type)) return {"panel type " + type + " is not drawn"};
  if (type == "row" || type == "text") return {};
  Sentences what = OfSources(panel, features, inputs);
  for (const Json& transformation : List(panel, "transformations")) {
    const std::string id = Text(transformation, "id");
    if (IsSet(transformation, "disabled") || IsDrawn(features, "transformations", id)) continue;
    what.push_back("transformation " + id + " is not applied");
  }
  for (const Json& override_ : List(Member(panel, "fieldConfig"), "overrides")) {
    const std::string id = Text(Member(override_, "matcher"), "id");
    if (IsDrawn(features, "matchers", id)) continue;
    what.push_back("overrides matched by " + id + " are not applied");
  }
  return what;
}

Sentences OfDashboard(const Json& dashboard, const Json& features) {
  Sentences what;
  for (const Json& variable : List(Member(dashboard, "templating"), "list")) {
    const std::string type = Text(variable, "type");
    if (IsDrawn(features, "variables", type)) continue;
    what.push_back("variable " + Text(variable, "name") + " of type " + type + " is not used");
  }
  for (const Json& query : List(Member(dashboard, "annotations"), "list")) {
    if (IsSet(query, "builtIn") || Member(query, "enable") == false) continue;
    what.push_back("annotation query " + Text(query, "name") + " is not shown");
  }
  return what;
}

void AddEach(Sentences sentences, int64_t panel_id, const std::string& title,
             std::vector<Undrawn>& list) {
  for (auto it = sentences.begin(); it != sentences.end(); ++it) {
    if (std::find(sentences.begin(), it, *it) != it) continue;
    list.push_back({panel_id, title, *it});
  }
}

void AddPanels(const Json& panels, std::vector<const Json*>& list) {
  for (const Json& panel : panels) {
    list.push_back(&panel);
    for (const Json& inner : List(panel, "panels")) list.push_back(&inner);
  }
}

}  // namespace

std::vector<const Json*> PanelsOf(const Json& dashboard) {
  std::vector<const Json*> panels;
  AddPanels(List(dashboard, "panels"), panels);
  for (const Json& row : List(dashboard, "rows")) AddPanels(List(row, "panels"), panels);
  return panels;
}

std::vector<Undrawn> UndrawnOf(const Json& dashboard, const Json& features) {
  const Inputs inputs = InputsOf(dashboard);
  std::vector<Undrawn> list;
  AddEach(OfDashboard(dashboard, features), 0, Text(dashboard, "title"), list);
  for (const Json* const panel : PanelsOf(dashboard)) {
    const Json& id = Member(*panel, "id");
    AddEach(OfPanel(*panel, dashboard, features, inputs),
            id.is_number_integer() ? id.get<int64_t>() : 0, Text(*panel, "title"), list);
  }
  return list;
}

Json UndrawnJson(const std::vector<Undrawn>& list) {
  Json json = Json::array();
  for (const Undrawn& undrawn : list) {
    json.push_back({{"panel_id", undrawn.panel_id},
                    {"title", undrawn.title},
                    {"what", undrawn.what}});
  }
  return json;
}

}  // namespace hearth::api
