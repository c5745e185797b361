#include "firmware/appliance_options.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "firmware/alerting/rule_service.h"
#include "firmware/config/model_config.h"
#include "firmware/http_client/http_client.h"
#include "firmware/library/library.h"
#include "firmware/usage/consent.h"

namespace hearth {
namespace {

using config::LoadedBoxConfig;
using config::PlacedProblem;

constexpr size_t kModelConfigBytesMax = size_t{1} << 20;

// Collects what the parts say of the values they are given.
class Settling {
 public:
  Settling(const LoadedBoxConfig& loaded, std::vector<PlacedProblem>& problems)
      : loaded_(loaded), problems_(problems) {}

  // `status` is about the setting at `path`.
  void Check(const std::string& path, const Status& status) {
    if (status.ok()) return;
    PlacedProblem& placed = problems_.emplace_back();
    placed.problem.path = path;
    placed.problem.message = path + ": " + status.message();
    placed.where = loaded_.Of(path).where;
  }

  template <typename T>
  void Take(const std::string& path, Result<T> result, T& into) {
    Check(path, result.status());
    if (result.ok()) into = std::move(result).value();
  }

 private:
  const LoadedBoxConfig& loaded_;
  std::vector<PlacedProblem>& problems_;
};

// hearth-engine lies beside hearthd unless somebody says otherwise.
std::string EngineBesideThisProgram() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "hearth-engine").string();
}

std::string Or(const std::string& value, const std::string& otherwise) {
  return value.empty() ? otherwise : value;
}

// {"a": "b"} with "=" becomes {"a=b"}.
std::vector<std::string> Joined(const Json& map, const std::string& sign) {
  std::vector<std::string> joined;
  for (const auto& [name, text] : map.items()) joined.push_back(name + sign + text.get<std::string>());
  return joined;
}

Result<std::string> ReadModelConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus("the file of models '" + path + "' cannot be read", errno);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (file.bad()) return ErrnoStatus("the file of models '" + path + "' cannot be read", errno);
  if (text.size() > kModelConfigBytesMax) {
    return InvalidArgument("the file of models '" + path + "' has " + std::to_string(text.size()) +
                           " bytes; at most " + std::to_string(kModelConfigBytesMax) +
                           " are read");
  }
  return text;
}

// Models of the command line win over a file, as every flag does.
Result<Seed> MakeSeed(const config::ModelConfigFile& from, const CommandLine& line) {
  if (!line.models.empty()) return Seed{line.models, "the command line", false};
  if (from.file.empty()) return Seed{};
  HEARTH_ASSIGN_OR_RETURN(std::string document, ReadModelConfig(from.file));
  return Seed{std::move(document), from.file, from.mode == "pin"};
}

void SettleRemoteWrite(const config::RemoteWriteConfig& from, Settling& settling,
                       remote_write::RemoteWriteOptions& to) {
  to.url = from.url;
  to.username = from.username;
  to.password_file = from.password_file;
  to.bearer_token_file = from.bearer_token_file;
  to.headers = Joined(from.headers, ": ");
  settling.Take("remote_write.labels", remote_write::ParseExternalLabels(Joined(from.labels, "=")),
                to.external_labels);
  if (!from.views.empty()) {
    settling.Take("remote_write.views", metrics::ParseViews(from.views), to.views);
  }
  if (!to.url.empty()) settling.Check("remote_write.url", remote_write::CheckOptions(to));
}

library::LibraryOptions LibraryOf(const config::HubConfig& hub, const LoadedBoxConfig& loaded,
                                  const std::string& models_directory) {
  library::LibraryOptions options;
  options.models_directory = models_directory;
  options.hub.endpoint = hub.endpoint;
  options.hub.allowed_hosts = hub.allowed_hosts;
  if (const char* const token = std::getenv("HF_TOKEN")) options.hub.token = token;
  options.token_file = hub.token_file;
  if (hub.offline) options.offline = "hub.offline is set by " + loaded.Of("hub.offline").where;
  options.download.connections = hub.connections;
  options.download.part_bytes = static_cast<uint64_t>(hub.part_bytes);
  options.disk_reserve_bytes = static_cast<uint64_t>(hub.disk_reserve_bytes);
  return options;
}

}  // namespace

ApplianceOptions MakeApplianceOptions(const LoadedBoxConfig& loaded, const CommandLine& line,
                                      std::vector<PlacedProblem>& problems) {
  const config::BoxConfig& box = loaded.config;
  Settling settling(loaded, problems);
  ApplianceOptions options;
  options.settings = loaded;
  options.host = box.listen.host;
  options.port = box.listen.port;
  options.state_directory = box.state_directory;
  options.engine_executable = Or(box.engine_executable, EngineBesideThisProgram());
  options.models_directory = Or(
      box.models_directory, (std::filesystem::path(box.state_directory) / "models").string());
  options.library = LibraryOf(box.hub, loaded, options.models_directory);
  settling.Check("hub.endpoint", library::CheckEndpoint(box.hub.endpoint));
  options.memory_limit_bytes = box.memory_limit_bytes;
  options.history_commit_interval_s = box.history.commit_interval_s;
  options.apply = box.apply;
  options.recovery = box.recovery;
  options.usage_stats = box.usage_stats;
  options.usage_stats_where = loaded.Of("usage_stats.enabled").where;
  options.usage_opt_out = usage::OptOutIn([](const char* name) { return std::getenv(name); });
  if (!box.usage_stats.url.empty()) {
    settling.Check("usage_stats.url", HttpClient::CheckUrl(box.usage_stats.url));
  }
  if (!box.metrics.views.empty()) {
    settling.Take("metrics.views", metrics::ParseViews(box.metrics.views), options.metrics_views);
  }
  settling.Take("rules.files", LoadRules(box.rules.files), options.rule_groups);
  if (!box.alerting.webhook_url.empty()) {
    settling.Check("alerting.webhook_url", AlertWebhook::CheckUrl(box.alerting.webhook_url));
  }
  options.alert_webhook_url = box.alerting.webhook_url;
  SettleRemoteWrite(box.remote_write, settling, options.remote_write);
  settling.Take("model_config.file", MakeSeed(box.model_config, line), options.seed);
  return options;
}

}  // namespace hearth
