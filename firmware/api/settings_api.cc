#include "firmware/api/settings_api.h"

namespace hearth::api {
namespace {

Json SettingJson(const config::Setting& setting) {
  Json overridden = Json::array();
  for (const config::Overridden& other : setting.overridden) {
    overridden.push_back(Json{{"value", other.value},
                              {"source", config::SourceName(other.source)},
                              {"where", other.where}});
  }
  return Json{{"path", setting.path},
              {"value", setting.value},
              {"default", setting.default_value},
              {"default_text", setting.default_text},
              {"source", config::SourceName(setting.source)},
              {"where", setting.where},
              {"locked", setting.locked()},
              {"secret", setting.secret},
              {"type", setting.type},
              {"unit", setting.unit},
              {"allowed", setting.allowed},
              {"help", setting.help},
              {"variable", setting.variable},
              {"flag", setting.flag},
              {"also", std::move(overridden)}};
}

Json FileJson(const config::ConfigFile& file) {
  return Json{{"path", file.path},
              {"exists", file.exists},
              {"read_ms", file.read_ms},
              {"changed", config::HasChanged(file)}};
}

void HandleSettings(const config::LoadedBoxConfig& loaded, http::Response& response) {
  Json settings = Json::array();
  for (const config::Setting& setting : loaded.settings) settings.push_back(SettingJson(setting));
  Json files = Json::array();
  for (const config::ConfigFile& file : loaded.files) files.push_back(FileJson(file));
  response.SetHeader("Cache-Control", "no-store");
  response.Send(200, "application/json",
                DumpJson(Json{{"settings", std::move(settings)}, {"files", std::move(files)}}));
}

}  // namespace

std::vector<http::Route> SettingsRoutes(const config::LoadedBoxConfig* loaded) {
  return {{"GET", "/api/settings", http::Scope::kAdmin,
           [=](const http::Request&, http::Response& response) {
             HandleSettings(*loaded, response);
           }}};
}

}  // namespace hearth::api
