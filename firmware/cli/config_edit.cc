#include "firmware/cli/config_edit.h"

#include <charconv>
#include <variant>
#include <vector>

#include "base/result.h"

namespace hearth::cli {
namespace {

using PathStep = std::variant<std::string, size_t>;

Status Broken(const std::string& path) {
  return InvalidArgument("'" + path +
                         "' is no path; write it as llm_configs[0].engine_kwargs.dtype");
}

Result<std::vector<PathStep>> ReadPath(const std::string& path) {
  std::vector<PathStep> steps;
  size_t at = 0;
  while (at < path.size()) {
    if (path[at] == '[') {
      size_t index = 0;
      const char* const begin = path.data() + at + 1;
      const auto [end, error] = std::from_chars(begin, path.data() + path.size(), index);
      const auto close = static_cast<size_t>(end - path.data());
      if (error != std::errc{} || close >= path.size() || path[close] != ']') return Broken(path);
      steps.emplace_back(index);
      at = close + 1;
    } else {
      if (path[at] == '.' && !steps.empty()) ++at;
      const size_t end = std::min(path.find_first_of(".[", at), path.size());
      if (end == at) return Broken(path);
      steps.emplace_back(path.substr(at, end - at));
      at = end;
    }
  }
  if (steps.empty()) return Broken(path);
  return steps;
}

// Where one step leads; null with `make` false when it leads nowhere.
Result<Json*> Follow(Json& json, const PathStep& step, const std::string& path, bool make) {
  if (const auto* name = std::get_if<std::string>(&step)) {
    if (make && json.is_null()) json = Json::object();
    if (!json.is_object()) {
      return InvalidArgument(path + " leads through " + DumpJson(json) + ", which has no field '" +
                             *name + "'");
    }
    if (!json.contains(*name) && !make) return NotFound("there is no " + path);
    return &json[*name];
  }
  const size_t index = std::get<size_t>(step);
  if (make && json.is_null()) json = Json::array();
  if (!json.is_array() || index > json.size() || (index == json.size() && !make)) {
    return InvalidArgument(path + ": there is no item [" + std::to_string(index) +
                           "]; the list has " + std::to_string(json.is_array() ? json.size() : 0));
  }
  if (index == json.size()) json.push_back(nullptr);
  return &json[index];
}

}  // namespace

Status SetPath(Json& root, const std::string& path, const Json& value) {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<PathStep> steps, ReadPath(path));
  Json* at = &root;
  for (const PathStep& step : steps) {
    HEARTH_ASSIGN_OR_RETURN(at, Follow(*at, step, path, /*make=*/true));
  }
  *at = value;
  return Status::Ok();
}

Status UnsetPath(Json& root, const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<PathStep> steps, ReadPath(path));
  Json* at = &root;
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    HEARTH_ASSIGN_OR_RETURN(at, Follow(*at, steps[i], path, /*make=*/false));
  }
  HEARTH_RETURN_IF_ERROR(Follow(*at, steps.back(), path, /*make=*/false).status());
  if (const auto* name = std::get_if<std::string>(&steps.back())) {
    at->erase(*name);
  } else {
    at->erase(std::get<size_t>(steps.back()));
  }
  return Status::Ok();
}

}  // namespace hearth::cli
