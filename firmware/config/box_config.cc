#include "firmware/config/box_config.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "base/clock.h"
#include "base/result.h"
#include "firmware/config/setting_text.h"

namespace hearth::config {
namespace {

namespace fs = std::filesystem;

constexpr char kMask[] = "•••";
constexpr char kRayUsageVariable[] = "RAY_USAGE_STATS_ENABLED";

// Variables of Hugging Face's own tools that set ours; the one of our own name wins over them.
constexpr std::pair<const char*, const char*> kHuggingFaceVariables[] = {
    {"HF_ENDPOINT", "hub.endpoint"},
    {"HF_HUB_OFFLINE", "hub.offline"},
};

// What one source says: a file, the environment, or the command line.
struct Layer {
  Source source = Source::kDefault;
  Document document;
  std::string file;                          // of the places; empty: the texts below
  std::map<std::string, std::string> where;  // by path: the variable or flag

  std::string WhereOf(const std::string& path) const {
    if (!file.empty()) {
      const Place place = document.PlaceOf(path);
      return place.line > 0 ? file + ":" + std::to_string(place.line) : file;
    }
    const auto found = where.find(path);
    return found != where.end() ? found->second : std::string(SourceName(source));
  }
};

// The value at "a.b"; null when there is none.
const Json* Find(const Json& json, const std::string& path) {
  const Json* at = &json;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    if (!at->is_object()) return nullptr;
    const auto found = at->find(path.substr(begin, dot - begin));
    if (found == at->end() || found->is_null()) return nullptr;
    at = &*found;
    begin = dot + 1;
  }
  return at;
}

void Put(Json& json, const std::string& path, Json value) {
  Json* at = &json;
  for (size_t begin = 0;;) {
    const size_t dot = path.find('.', begin);
    at = &(*at)[path.substr(begin, dot - begin)];
    if (dot == std::string::npos) break;
    begin = dot + 1;
  }
  *at = std::move(value);
}

// https://user:password@host/ without what stands before the @.
std::string MaskedUrl(const std::string& text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const size_t host = scheme + 3;
  const size_t end = text.find_first_of("/?#", host);
  const size_t at = text.rfind('@', end);
  if (at == std::string::npos || at < host) return text;
  return text.substr(0, host) + kMask + text.substr(at);
}

Json Shown(const SettingDef& def, const Json& value) {
  if (value.is_string()) return def.secret ? Json(kMask) : Json(MaskedUrl(value.get<std::string>()));
  if (!def.secret || !value.is_object()) return value;
  Json masked = Json::object();
  for (const auto& [name, text] : value.items()) masked[name] = kMask;
  return masked;
}

int64_t ModifiedNs(const std::string& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  return error ? 0 : static_cast<int64_t>(time.time_since_epoch().count());
}

// nullopt: it is not there.
Result<std::optional<std::string>> ReadText(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return std::optional<std::string>();
  if (error) return ErrnoStatus("'" + path + "' cannot be read", error.value());
  if (fs::is_directory(status)) return InvalidArgument("'" + path + "' is a directory, not a file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus("'" + path + "' cannot be read", errno);
  // One byte more than the bound: ParseDocument refuses it with the figure.
  std::string text(kDocumentBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return ErrnoStatus("'" + path + "' cannot be read", errno);
  text.resize(static_cast<size_t>(file.gcount()));
  return std::optional(std::move(text));
}

class Loader {
 public:
  explicit Loader(const BoxConfigSources& sources) : sources_(sources) {}

  LoadedBoxConfig Load() {
    AddFile(sources_.file, Source::kFile, sources_.file_required);
    AddConfD();
    AddEnvironment();
    AddCommandLine();
    for (const Layer& layer : layers_) Read(layer);
    CheckTogether();
    for (const SettingDef& def : SettingDefs()) loaded_.settings.push_back(Settle(def));
    return std::move(loaded_);
  }

 private:
  void AddFile(const std::string& path, Source source, bool required) {
    ConfigFile& file = loaded_.files.emplace_back();
    file.path = path;
    file.modified_ns = ModifiedNs(path);
    const Result<std::optional<std::string>> text = ReadText(path);
    if (!text.ok()) return Report(path, text.status().message());
    if (!text->has_value()) {
      if (required) Report(path, "the file '" + path + "' is not there");
      return;
    }
    file.exists = true;
    file.read_ms = WallMillis();
    ParsedDocument parsed = ParseDocument(**text);
    for (Problem& problem : parsed.problems) {
      const std::string line = problem.place.line > 0 ? ":" + std::to_string(problem.place.line) : "";
      loaded_.problems.push_back({std::move(problem), path + line});
    }
    if (!parsed.document || parsed.document->json.is_null()) return;
    layers_.push_back({source, *std::move(parsed.document), path, {}});
  }

  // In the order of their names. Only *.yaml: what a package manager or an editor leaves is not read.
  void AddConfD() {
    std::error_code error;
    std::vector<std::string> paths;
    const fs::path directory = fs::path(sources_.file).parent_path() / "conf.d";
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (it->path().extension() == ".yaml" && name[0] != '.') paths.push_back(it->path().string());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      Report(directory.string(), ErrnoStatus("'" + directory.string() + "' cannot be read",
                                             error.value()).message());
    }
    std::sort(paths.begin(), paths.end());
    for (const std::string& path : paths) AddFile(path, Source::kConfD, true);
  }

  void AddEnvironment() {
    Layer layer{Source::kEnvironment, {}, "", {}};
    layer.document.json = Json::object();
    for (const auto& [name, text] : sources_.environment) AddHuggingFace(name, text, layer);
    for (const auto& [name, text] : sources_.environment) {
      if (name == kRayUsageVariable) CheckRayUsage(text);
      if (!name.starts_with(kVariablePrefix) || name == kConfigFileVariable || text.empty()) continue;
      const auto& defs = SettingDefs();
      const auto is_named = [&variable = name](const SettingDef& def) {
        return def.variable == variable;
      };
      const auto def = std::find_if(defs.begin(), defs.end(), is_named);
      if (def == defs.end()) {
        WarnOfVariable(name);
        continue;
      }
      Put(layer.document.json, def->path, ValueOfTexts(def->type, {text}, true));
      layer.where[def->path] = name;
    }
    layers_.push_back(std::move(layer));
  }

  static void AddHuggingFace(const std::string& name, const std::string& text, Layer& layer) {
    for (const auto& [variable, path] : kHuggingFaceVariables) {
      if (name != variable || text.empty()) continue;
      const bool is_switch = std::string_view(path) == "hub.offline";
      Put(layer.document.json, path, is_switch ? SwitchOf(text) : Json(text));
      layer.where[path] = name;
    }
  }

  // As huggingface_hub reads its switches.
  static Json SwitchOf(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text == "1" || text == "ON" || text == "YES" || text == "TRUE";
  }

  // It can only forbid what usage_stats.enabled allows; firmware/usage looks at it. Ray refuses other
  // values, too: a box whose owner tried to opt out must not take it for a yes.
  void CheckRayUsage(const std::string& text) {
    if (text.empty() || text == "0" || text == "1") return;
    Report(kRayUsageVariable, "the variable must be 0 or 1, not " + ShowValue(text));
  }

  void WarnOfVariable(const std::string& name) {
    std::vector<std::string_view> known;
    for (const SettingDef& def : SettingDefs()) known.push_back(def.variable);
    PlacedProblem& placed = loaded_.problems.emplace_back();
    placed.where = name;
    placed.problem.severity = Severity::kWarning;
    placed.problem.nearest = Nearest(name, known);
    placed.problem.message = "the variable sets nothing of the box";
    if (!placed.problem.nearest.empty()) {
      placed.problem.message += "; did you mean " + placed.problem.nearest + "?";
    }
  }

  void AddCommandLine() {
    Layer layer{Source::kCommandLine, {}, "", {}};
    layer.document.json = Json::object();
    for (const GivenText& given : sources_.command_line) {
      const auto& defs = SettingDefs();
      const auto def = std::find_if(defs.begin(), defs.end(),
                                    [&](const SettingDef& one) { return one.path == given.path; });
      CHECK(def != defs.end()) << given.path;
      Put(layer.document.json, def->path, ValueOfTexts(def->type, given.texts, false));
      layer.where[def->path] = given.where;
    }
    layers_.push_back(std::move(layer));
  }

  // What a layer does not say stays as the layers before it left it.
  void Read(const Layer& layer) {
    std::vector<Problem> problems;
    ReadFields(layer.document, layer.document.json, "",
               [this](FieldVisitor& v) { loaded_.config.VisitFields(v); }, problems);
    for (Problem& problem : problems) {
      std::string where = layer.WhereOf(problem.path);
      loaded_.problems.push_back({std::move(problem), std::move(where)});
    }
  }

  // What one field alone cannot say.
  void CheckTogether() {
    const ModelConfigFile& models = loaded_.config.model_config;
    if (models.mode != "pin" || !models.file.empty()) return;
    const std::string path = "model_config.mode";
    std::string where;
    for (const Layer& layer : layers_) {
      if (Find(layer.document.json, path)) where = layer.WhereOf(path);
    }
    Report(where, path + " is 'pin', but there is no file to pin: set model_config.file", path);
  }

  Setting Settle(const SettingDef& def) const {
    Setting setting;
    static_cast<SettingDef&>(setting) = def;
    setting.value = def.default_value;
    for (const Layer& layer : layers_) {
      const Json* const value = Find(layer.document.json, def.path);
      if (!value) continue;
      if (setting.locked()) {
        setting.overridden.insert(setting.overridden.begin(),
                                  {setting.value, setting.source, setting.where});
      }
      setting.value = Shown(def, *value);
      setting.source = layer.source;
      setting.where = layer.WhereOf(def.path);
    }
    return setting;
  }

  void Report(std::string where, std::string message, std::string path = "") {
    PlacedProblem& placed = loaded_.problems.emplace_back();
    placed.where = std::move(where);
    placed.problem.path = std::move(path);
    placed.problem.message = std::move(message);
  }

  const BoxConfigSources& sources_;
  std::vector<Layer> layers_;  // each wins over those before it
  LoadedBoxConfig loaded_;
};

}  // namespace

std::string_view SourceName(Source source) {
  constexpr std::string_view kNames[] = {"default", "file", "conf.d", "environment",
                                         "command line"};
  return kNames[static_cast<size_t>(source)];
}

bool HasChanged(const ConfigFile& file) {
  std::error_code error;
  return fs::exists(file.path, error) != file.exists ||
         (file.exists && ModifiedNs(file.path) != file.modified_ns);
}

std::string PlacedProblem::ToString() const {
  return where.empty() ? problem.message : where + ": " + problem.message;
}

const Setting& LoadedBoxConfig::Of(std::string_view path) const {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const Setting& setting) { return setting.path == path; });
  CHECK(found != settings.end()) << path;
  return *found;
}

bool LoadedBoxConfig::ok() const {
  return std::none_of(problems.begin(), problems.end(), [](const PlacedProblem& placed) {
    return placed.problem.severity == Severity::kError;
  });
}

LoadedBoxConfig LoadBoxConfig(const BoxConfigSources& sources) { return Loader(sources).Load(); }

}  // namespace hearth::config
