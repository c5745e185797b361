// The configuration of the box itself: what the administrator says in /etc/hearth/hearth.yaml, in
// conf.d/*.yaml beside it, in the environment and on the command line. hearthd reads it when it
// starts and never writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "firmware/config/field_table.h"
#include "firmware/config/problem.h"

namespace hearth::config {

struct ListenConfig {
  std::string host = "127.0.0.1";
  int port = 8080;

  void VisitFields(FieldVisitor& v);
};

// A file may seed the model configuration, or pin it.
struct ModelConfigFile {
  std::string file;
  std::string mode = "seed";

  void VisitFields(FieldVisitor& v);
};

struct HistoryConfig {
  double commit_interval_s = 60;

  void VisitFields(FieldVisitor& v);
};

struct MetricsConfig {
  std::vector<std::string> views;

  void VisitFields(FieldVisitor& v);
};

struct RulesConfig {
  std::vector<std::string> files;

  void VisitFields(FieldVisitor& v);
};

struct AlertingConfig {
  std::string webhook_url;

  void VisitFields(FieldVisitor& v);
};

struct RemoteWriteConfig {
  std::string url;
  Json labels = Json::object();   // name: text
  std::vector<std::string> views;
  Json headers = Json::object();  // name: text; secret
  std::string username;
  std::string password_file;
  std::string bearer_token_file;

  void VisitFields(FieldVisitor& v);
};

// The time limits of an apply.
struct ApplyConfig {
  double ready_timeout_s = 600;
  double probe_timeout_s = 60;
  double watch_s = 60;
  double drain_timeout_s = 600;

  void VisitFields(FieldVisitor& v);
};

struct RecoveryConfig {
  int crashes_max = 5;
  double within_s = 600;

  void VisitFields(FieldVisitor& v);
};

struct UsageStatsConfig {
  std::optional<bool> enabled;
  std::string url;
  double interval_s = 3600;

  void VisitFields(FieldVisitor& v);
};

// Where models are pulled from.
struct HubConfig {
  std::string endpoint = "https://huggingface.co";
  std::string token_file;
  bool offline = false;
  std::vector<std::string> allowed_hosts = {"huggingface.co", "hf.co"};
  int connections = 4;
  int64_t part_bytes = int64_t{64} << 20;
  int64_t disk_reserve_bytes = 0;

  void VisitFields(FieldVisitor& v);
};

struct BoxConfig {
  std::string state_directory = "/var/lib/hearth";
  std::string engine_executable;
  std::string models_directory;
  int64_t memory_limit_bytes = 0;
  ListenConfig listen;
  ModelConfigFile model_config;
  ApplyConfig apply;
  RecoveryConfig recovery;
  HistoryConfig history;
  MetricsConfig metrics;
  RulesConfig rules;
  AlertingConfig alerting;
  RemoteWriteConfig remote_write;
  UsageStatsConfig usage_stats;
  HubConfig hub;

  void VisitFields(FieldVisitor& v);
};

// In the order in which one wins over the one before.
enum class Source { kDefault, kFile, kConfD, kEnvironment, kCommandLine };
std::string_view SourceName(Source source);  // "default", "file", "conf.d", ...

// What is known of a setting before anybody sets it.
struct SettingDef {
  std::string path;      // "listen.port"
  std::string variable;  // "HEARTH_LISTEN_PORT"
  std::string flag;      // "--port"
  std::string type;      // as in the schema, or "map" (of names to texts)
  std::string unit;
  std::string allowed;   // "an integer from 0 to 65535"
  std::string help;
  Json default_value;
  std::string default_text;  // what the default means, where its value does not say it
  bool takes_many = false;  // a list or a map: the flag may be repeated
  bool secret = false;      // its value is never shown
};
const std::vector<SettingDef>& SettingDefs();  // in the order of the file

// A value that lost against a source that wins over its own.
struct Overridden {
  Json value;  // secrets masked
  Source source = Source::kDefault;
  std::string where;
};

struct Setting : SettingDef {
  Json value;  // secrets masked
  Source source = Source::kDefault;
  std::string where;  // "/etc/hearth/hearth.yaml:12", a variable, a flag; empty for a default
  std::vector<Overridden> overridden;  // the strongest first

  bool locked() const { return source != Source::kDefault; }
};

struct ConfigFile {
  std::string path;
  bool exists = false;
  int64_t read_ms = 0;      // Unix time; 0 when it is not there
  int64_t modified_ns = 0;  // its own time when it was read
};

// Was it written, made or removed since it was read?
bool HasChanged(const ConfigFile& file);

struct PlacedProblem {
  Problem problem;
  std::string where;  // "/etc/hearth/hearth.yaml:12", a variable, a flag

  // One line for a log.
  std::string ToString() const;
};

// What somebody wrote for a setting outside of a file: a variable's text, or all texts of a flag.
struct GivenText {
  std::string path;
  std::vector<std::string> texts;
  std::string where;
};

inline constexpr std::string_view kVariablePrefix = "HEARTH_";
inline constexpr char kConfigFileVariable[] = "HEARTH_CONFIG";  // names the file, as --config
inline constexpr char kDefaultConfigFile[] = "/etc/hearth/hearth.yaml";

struct BoxConfigSources {
  std::string file = kDefaultConfigFile;  // conf.d is the directory of that name beside it
  bool file_required = false;             // an absent file is an error
  std::vector<std::pair<std::string, std::string>> environment;  // all variables; HEARTH_* count
  std::vector<GivenText> command_line;
};

struct LoadedBoxConfig {
  BoxConfig config;
  std::vector<Setting> settings;
  std::vector<ConfigFile> files;
  std::vector<PlacedProblem> problems;  // all of them; nothing may start when one is an error

  const Setting& Of(std::string_view path) const;  // CHECKs that there is such a setting
  bool ok() const;
};

LoadedBoxConfig LoadBoxConfig(const BoxConfigSources& sources);

// As FieldsSchema writes it.
Json BoxConfigSchema();

}  // namespace hearth::config
