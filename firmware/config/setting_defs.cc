// The list of settings, from the table of fields.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "firmware/config/box_config.h"

namespace hearth::config {
namespace {

// Flags that are older than the file, by their setting; the others are named after it.
constexpr std::pair<const char*, const char*> kFlags[] = {
    {"alerting.webhook_url", "--alert-webhook"},
    {"engine_executable", "--engine"},
    {"history.commit_interval_s", "--history-commit-interval"},
    {"listen.host", "--host"},
    {"listen.port", "--port"},
    {"remote_write.headers", "--remote-write-header"},
    {"remote_write.labels", "--remote-write-label"},
    {"rules.files", "--rules"},
    {"state_directory", "--state"},
};

std::string FlagOf(const std::string& path) {
  for (const auto& [known, flag] : kFlags) {
    if (path == known) return flag;
  }
  std::string flag = "--" + path;
  std::replace(flag.begin(), flag.end(), '.', '-');
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string VariableOf(const std::string& path) {
  std::string variable(kVariablePrefix);
  for (const char c : path) {
    variable += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return variable;
}

// 60.0 is written 60.
Json Plain(const Json& value) {
  if (!value.is_number_float()) return value;
  const double number = value.get<double>();
  return std::floor(number) == number ? Json(static_cast<int64_t>(number)) : value;
}

void AddDefs(const Json& fields, const std::string& parent, std::vector<SettingDef>& defs) {
  for (const Json& field : fields) {
    const std::string path = MemberPath(parent, field.at("name").get<std::string>());
    if (field.at("type") == "object") {
      AddDefs(field.at("fields"), path, defs);
      continue;
    }
    SettingDef& def = defs.emplace_back();
    def.path = path;
    def.variable = VariableOf(path);
    def.flag = FlagOf(path);
    def.type = field.at("type").get<std::string>();
    def.unit = field.value("unit", "");
    def.allowed = field.at("allowed").get<std::string>();
    def.help = field.at("help").get<std::string>();
    def.default_value = Plain(field.at("default"));
    def.default_text = field.value("default_text", "");
    def.secret = field.at("secret").get<bool>();
    if (def.default_value.is_object()) {
      def.type = "map";
      def.allowed = "a map of names to texts";
    }
    def.takes_many = def.type == "map" || def.type == "list";
  }
}

}  // namespace

Json BoxConfigSchema() {
  BoxConfig defaults;
  return FieldsSchema([&](FieldVisitor& v) { defaults.VisitFields(v); });
}

const std::vector<SettingDef>& SettingDefs() {
  static const std::vector<SettingDef>* const defs = [] {
    auto* const made = new std::vector<SettingDef>;
    AddDefs(BoxConfigSchema(), "", *made);
    return made;
  }();
  return *defs;
}

}  // namespace hearth::config
