#include "firmware/apply/served_models.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/limits.h"

namespace hearth::apply {
namespace {

namespace fs = std::filesystem;

bool IsModel(const fs::path& directory) {
  std::error_code error;
  return fs::is_regular_file(directory / "config.json", error);
}

// models--Org--Name/snapshots/<revision>: what refs/main names, else the newest one that is whole.
std::optional<fs::path> SnapshotIn(const fs::path& repository) {
  const fs::path snapshots = repository / "snapshots";
  std::string revision;
  std::ifstream(repository / "refs" / "main") >> revision;
  // A name of one directory: what a file says must not lead elsewhere.
  const bool is_name = !revision.empty() && revision != ".." && revision.find('/') == std::string::npos;
  if (is_name && IsModel(snapshots / revision)) return snapshots / revision;
  std::error_code error;
  std::optional<fs::path> newest;
  fs::file_time_type newest_time{};
  for (const auto& entry : fs::directory_iterator(snapshots, error)) {
    if (!IsModel(entry.path())) continue;
    const auto time = fs::last_write_time(entry.path(), error);
    if (!newest || time > newest_time) {
      newest = entry.path();
      newest_time = time;
    }
  }
  return newest;
}

std::string CacheName(const std::string& source) {
  std::string name = "models--";
  for (const char c : source) name += c == '/' ? std::string("--") : std::string(1, c);
  return name;
}

// An id names a place under the models directory, and must not name one elsewhere.
bool StaysInside(const std::string& source) {
  const fs::path path(source);
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

void Flatten(const Json& value, const std::string& path, std::map<std::string, Json>& out) {
  if (!value.is_object() || value.empty()) {
    out[path] = value;
    return;
  }
  for (const auto& [name, member] : value.items()) {
    Flatten(member, path.empty() ? name : path + "." + name, out);
  }
}

std::vector<std::string> ChangedFields(const config::LlmConfig& before,
                                       const config::LlmConfig& after) {
  std::map<std::string, Json> a, b;
  Flatten(config::ToNormalJson(before), "", a);
  Flatten(config::ToNormalJson(after), "", b);
  std::vector<std::string> fields;
  for (const auto& [path, value] : a) {
    const auto it = b.find(path);
    if (it == b.end() || it->second != value) fields.push_back(path);
  }
  for (const auto& [path, value] : b) {
    if (!a.contains(path)) fields.push_back(path);
  }
  std::sort(fields.begin(), fields.end());
  return fields;
}

Change::Kind KindOf(const ServedModel& before, const ServedModel& after, bool has_fields) {
  // By what is configured: what an engine was told may hold more, a size that fit on that day.
  const auto load = [](const ServedModel& model) {
    return DumpJson(hearth::ToJson(ToModelOptions(model.config, model.directory).load));
  };
  if (load(before) != load(after)) return Change::Kind::kReplace;
  return has_fields ? Change::Kind::kLive : Change::Kind::kSame;
}

const ServedModel* FindByName(const std::vector<ServedModel>& models, const std::string& name) {
  const auto it = std::find_if(models.begin(), models.end(),
                               [&](const ServedModel& model) { return model.name() == name; });
  return it == models.end() ? nullptr : &*it;
}

// Capped as BoxFacts::replicas_max says beside the field.
models::AutoscalingOptions ToAutoscaling(const config::DeploymentConfig& deployment) {
  const auto capped = [](int count) { return std::min(count, limits::kReplicasMax); };
  models::AutoscalingOptions options;
  if (!deployment.autoscaling_config) {
    options.min_replicas = options.max_replicas = capped(deployment.num_replicas);
    return options;
  }
  const config::AutoscalingConfig& config = *deployment.autoscaling_config;
  options.min_replicas = capped(config.min_replicas);
  options.max_replicas = capped(config.max_replicas);
  if (config.initial_replicas) options.initial_replicas = capped(*config.initial_replicas);
  options.target_ongoing_requests = config.target_ongoing_requests;
  options.look_back_period_s = config.look_back_period_s;
  options.upscale_delay_s = config.upscale_delay_s;
  options.downscale_delay_s = config.downscale_delay_s;
  options.downscale_to_zero_delay_s = config.downscale_to_zero_delay_s;
  options.upscaling_factor = config.upscaling_factor;
  options.downscaling_factor = config.downscaling_factor;
  return options;
}

}  // namespace

Result<std::string> FindModel(const std::string& source, const std::string& models_directory) {
  const fs::path path(source);
  if (path.is_absolute()) {
    if (IsModel(path)) return source;
    return NotFound("there is no model in " + source + ": it has no config.json");
  }
  if (!StaysInside(source)) {
    return InvalidArgument("the model source '" + source +
                           "' leaves the models directory; name an absolute path");
  }
  const fs::path plain = fs::path(models_directory) / source;
  if (IsModel(plain)) return plain.string();
  const fs::path cached = fs::path(models_directory) / CacheName(source);
  if (const auto snapshot = SnapshotIn(cached)) return snapshot->string();
  return NotFound("the model '" + source + "' is not on this box: neither " + plain.string() +
                  " nor " + cached.string() + "/snapshots has it; put its files there");
}

models::ModelOptions ToModelOptions(const config::LlmConfig& config, const std::string& directory) {
  models::ModelOptions options;
  const config::EngineKwargs& engine = config.engine_kwargs;
  options.load.model = directory;
  options.load.served_model_name = config.model_loading_config.model_id;
  options.load.max_model_len = engine.max_model_len;
  options.load.max_num_seqs = engine.max_num_seqs;
  options.load.max_num_batched_tokens = engine.max_num_batched_tokens;
  options.load.kv_cache_bytes = engine.kv_cache_memory_bytes;
  options.load.dtype = engine.dtype;
  options.load.enable_prefix_caching = engine.enable_prefix_caching;
  options.load.num_threads = config.experimental_configs.cpu_threads;
  options.log_engine_metrics = config.log_engine_metrics;
  const auto seconds = [](double ms) { return ms > 0 ? std::optional(ms / 1000) : std::nullopt; };
  const config::ExperimentalConfigs& ours = config.experimental_configs;
  options.slo = {seconds(ours.slo_ttft_ms), seconds(ours.slo_tpot_ms), seconds(ours.slo_e2e_ms)};
  options.pinned = ours.pinned;
  for (const std::string& name : engine.served_model_name) {
    if (name != options.load.served_model_name) options.aliases.push_back(name);
  }
  const config::DeploymentConfig& deployment = config.deployment_config;
  options.autoscales = deployment.autoscaling_config.has_value();
  options.autoscaling = ToAutoscaling(deployment);
  options.max_ongoing_requests = deployment.max_ongoing_requests;
  options.max_queued_requests = deployment.max_queued_requests;
  options.graceful_shutdown_timeout_s = deployment.graceful_shutdown_timeout_s;
  return options;
}

double DrainTimeoutS(const models::ModelOptions& options, double box_drain_timeout_s) {
  return std::min(options.graceful_shutdown_timeout_s, box_drain_timeout_s);
}

bool StartsEngine(const Change& change) {
  return change.kind == Change::Kind::kReplace || change.kind == Change::Kind::kAdd;
}

bool IsTriedOnly(const Change& change, const models::ModelManager& models) {
  if (!StartsEngine(change) || change.after->options.autoscaling.FirstTarget() > 0) return false;
  const auto statuses = models.Statuses();
  return std::none_of(statuses.begin(), statuses.end(), [&](const models::ModelStatus& status) {
    return status.model_name == change.model_name && status.target_replicas > 0;
  });
}

std::string_view KindName(Change::Kind kind) {
  constexpr std::string_view kNames[] = {"same", "live", "replace", "add", "remove"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<Change> PlanChanges(const std::vector<ServedModel>& before,
                                const std::vector<ServedModel>& after) {
  std::vector<Change> changes;
  for (const ServedModel& model : after) {
    Change& change = changes.emplace_back();
    change.model_name = model.name();
    change.after = model;
    const ServedModel* const old = FindByName(before, model.name());
    if (old == nullptr) {
      change.kind = Change::Kind::kAdd;
      continue;
    }
    change.before = *old;
    change.fields = ChangedFields(old->config, model.config);
    change.kind = KindOf(*old, model, !change.fields.empty());
  }
  for (const ServedModel& model : before) {
    if (FindByName(after, model.name()) != nullptr) continue;
    changes.push_back({Change::Kind::kRemove, model.name(), {}, model, std::nullopt});
  }
  return changes;
}

std::vector<Change> Reversed(const std::vector<Change>& changes) {
  std::vector<Change> reversed = changes;
  for (Change& change : reversed) {
    std::swap(change.before, change.after);
    if (change.kind == Change::Kind::kAdd) {
      change.kind = Change::Kind::kRemove;
    } else if (change.kind == Change::Kind::kRemove) {
      change.kind = Change::Kind::kAdd;
    }
  }
  return reversed;
}

Json ToJson(const std::vector<Change>& changes) {
  Json list = Json::array();
  for (const Change& change : changes) {
    list.push_back(Json{
        {"model", change.model_name}, {"kind", KindName(change.kind)}, {"fields", change.fields}});
  }
  return list;
}

}  // namespace hearth::apply
