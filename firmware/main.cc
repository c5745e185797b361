// hearthd: the control plane of the appliance.

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/log.h"
#include "base/version.h"
#include "firmware/alerting/rule_service.h"
#include "firmware/appliance.h"
#include "firmware/notify.h"
#include "firmware/remote_write/remote_writer.h"

namespace hearth {
namespace {

// hearth-engine lies beside hearthd unless --engine says otherwise.
std::string DefaultEngine() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "hearth-engine").string();
}

// What the command line says of models; --model and --served-model-name may be repeated, the rest
// holds for each.
struct ModelFlags {
  std::vector<std::string> models;
  std::vector<std::string> names;
  models::ModelOptions common;
  double slo_ttft_ms = 2000;
  double slo_tpot_ms = 200;
  double slo_e2e_ms = 0;
};

void AddEngineOptions(CLI::App& app, protocol::Load& load) {
  app.add_option("--max-model-len", load.max_model_len, "context length in tokens; 0 = the model's")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--max-num-seqs", load.max_num_seqs, "sequences in one step")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--max-num-batched-tokens", load.max_num_batched_tokens, "tokens in one step")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--kv-cache-memory-bytes", load.kv_cache_bytes,
                 "bytes of the KV cache; 0 = chosen from free memory")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--enable-prefix-caching", load.enable_prefix_caching,
                 "keep what was computed of a prompt for the next that begins alike")
      ->capture_default_str();
  app.add_option("--dtype", load.dtype, "how weights are kept")
      ->check(CLI::IsMember({"auto", "bfloat16", "float32"}))
      ->capture_default_str();
  app.add_option("--threads", load.num_threads, "threads of the CPU engine; 0 = physical cores")
      ->check(CLI::NonNegativeNumber);
}

void AddModelOptions(CLI::App& app, ModelFlags& flags) {
  app.add_option("--model", flags.models, "Hugging Face model directory to serve; may be repeated")
      ->required();
  app.add_option("--served-model-name", flags.names,
                 "name clients ask for, one per --model; the directory's name when absent");
  app.add_option("--log-engine-metrics", flags.common.log_engine_metrics,
                 "show and record the engine's metrics (vllm:*)")
      ->capture_default_str();
  const auto add_slo = [&](const std::string& name, double& ms, const std::string& what) {
    app.add_option(name, ms, "objective for " + what + " in ms; 0 = none")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
  };
  add_slo("--slo-ttft-ms", flags.slo_ttft_ms, "the time to the first token");
  add_slo("--slo-tpot-ms", flags.slo_tpot_ms, "the time per output token");
  add_slo("--slo-e2e-ms", flags.slo_e2e_ms, "the whole answer");
  AddEngineOptions(app, flags.common.load);
}

void AddOptions(CLI::App& app, ApplianceOptions& options) {
  app.set_version_flag("--version", std::string(kVersion));
  app.add_option("--host", options.host, "address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "port to listen on; 0 takes any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--state", options.state_directory,
                 "directory of the history and of what /api/models did; made if absent")
      ->required();
  app.add_option("--engine", options.engine_executable, "path of hearth-engine")
      ->capture_default_str();
  app.add_option("--history-commit-interval", options.history_commit_interval_s,
                 "seconds of history a crash may lose; shorter writes more to the disk")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
}

Result<std::vector<models::ModelOptions>> ModelsOf(const ModelFlags& flags) {
  if (flags.names.size() > flags.models.size()) {
    return InvalidArgument("there are more --served-model-name (" +
                           std::to_string(flags.names.size()) + ") than --model (" +
                           std::to_string(flags.models.size()) + ")");
  }
  const auto seconds = [](double ms) { return ms > 0 ? std::optional(ms / 1000) : std::nullopt; };
  std::vector<models::ModelOptions> models;
  for (size_t i = 0; i < flags.models.size(); ++i) {
    models::ModelOptions& model = models.emplace_back(flags.common);
    model.load.model = flags.models[i];
    model.load.served_model_name =
        i < flags.names.size() ? flags.names[i] : models::NameOfDirectory(flags.models[i]);
    model.slo = {seconds(flags.slo_ttft_ms), seconds(flags.slo_tpot_ms), seconds(flags.slo_e2e_ms)};
  }
  return models;
}

std::string ViewsHelp() {
  std::string help = "names that /metrics shows, separated by commas:";
  for (const auto& view : metrics::ViewDefs()) {
    help += " " + std::string(view.name) + (view.by_default ? "*" : "");
  }
  return help + " (* by default)";
}

struct RuleFlags {
  std::vector<std::string> files;
  std::string webhook_url;
};

void AddRuleOptions(CLI::App& app, RuleFlags& flags) {
  app.add_option("--rules", flags.files,
                 "file of alerting and recording rules, as Prometheus's; may be repeated; the "
                 "shipped rules when absent");
  app.add_option("--alert-webhook", flags.webhook_url,
                 "URL of an Alertmanager, or what speaks its API v2, that alerts are sent to; "
                 "nothing is sent when absent");
}

struct RemoteWriteFlags {
  std::vector<std::string> labels;
  std::vector<std::string> views;
};

void AddRemoteWriteOptions(CLI::App& app, remote_write::RemoteWriteOptions& options,
                           RemoteWriteFlags& flags) {
  app.add_option("--remote-write-url", options.url,
                 "receiver of Prometheus's remote write protocol that metrics are pushed to, e.g. "
                 "http://prometheus:9090/api/v1/write; nothing is pushed when absent");
  app.add_option("--remote-write-label", flags.labels,
                 "name=value for every pushed series that lacks the label; may be repeated; "
                 "job=hearth and instance=<host name> when absent");
  app.add_option("--remote-write-views", flags.views,
                 "names that are pushed, as --metrics-views; its default when absent")
      ->delimiter(',');
  app.add_option("--remote-write-header", options.headers,
                 "'Name: value' for every request; may be repeated");
  app.add_option("--remote-write-username", options.username, "for basic authentication");
  app.add_option("--remote-write-password-file", options.password_file,
                 "file with its password, read for each request");
  app.add_option("--remote-write-bearer-token-file", options.bearer_token_file,
                 "file with a bearer token, read for each request");
}

Status SettleRemoteWrite(const RemoteWriteFlags& flags, ApplianceOptions& options) {
  remote_write::RemoteWriteOptions& remote_write = options.remote_write;
  HEARTH_ASSIGN_OR_RETURN(remote_write.external_labels,
                          remote_write::ParseExternalLabels(flags.labels));
  if (!flags.views.empty()) {
    HEARTH_ASSIGN_OR_RETURN(remote_write.views, metrics::ParseViews(flags.views));
  }
  if (remote_write.url.empty()) return Status::Ok();
  return remote_write::CheckOptions(remote_write);
}

// From what the command line said to what the appliance takes.
Status Settle(const ModelFlags& flags, const RuleFlags& rules,
              const RemoteWriteFlags& remote_write, const std::vector<std::string>& views,
              ApplianceOptions& options) {
  HEARTH_RETURN_IF_ERROR(SettleRemoteWrite(remote_write, options));
  HEARTH_ASSIGN_OR_RETURN(options.rule_groups, LoadRules(rules.files));
  if (!rules.webhook_url.empty()) {
    HEARTH_RETURN_IF_ERROR(AlertWebhook::CheckUrl(rules.webhook_url));
  }
  options.alert_webhook_url = rules.webhook_url;
  HEARTH_ASSIGN_OR_RETURN(options.models, ModelsOf(flags));
  if (!views.empty()) {
    HEARTH_ASSIGN_OR_RETURN(options.metrics_views, metrics::ParseViews(views));
  }
  return Status::Ok();
}

int WaitForStop(const sigset_t& signals, const Appliance& appliance) {
  std::string last;
  while (true) {
    const timespec second{1, 0};
    const int number = sigtimedwait(&signals, nullptr, &second);
    if (number > 0) return number;
    std::string status = appliance.StatusLine();
    if (status != last) NotifySystemd("STATUS=" + status);
    last = std::move(status);
  }
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Hearth: an LLM appliance. Serves a model over the OpenAI API, with its own dashboard, "
      "metric history and Prometheus endpoint.");
  ApplianceOptions options;
  options.engine_executable = DefaultEngine();
  ModelFlags model_flags;
  std::vector<std::string> views;
  AddOptions(app, options);
  AddModelOptions(app, model_flags);
  RuleFlags rule_flags;
  AddRuleOptions(app, rule_flags);
  app.add_option("--metrics-views", views, ViewsHelp())->delimiter(',');
  RemoteWriteFlags remote_write_flags;
  AddRemoteWriteOptions(app, options.remote_write, remote_write_flags);
  CLI11_PARSE(app, argc, argv);
  const Status settled = Settle(model_flags, rule_flags, remote_write_flags, views, options);
  if (!settled.ok()) {
    LOG(kError) << settled.message();
    return 2;
  }

  // Blocked before any thread starts, so that only WaitForStop sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto appliance = Appliance::Start(options);
  if (!appliance.ok()) {
    LOG(kError) << appliance.status().message();
    return 1;
  }
  const std::string url =
      "http://" + options.host + ":" + std::to_string((*appliance)->port()) + "/";
  for (const auto& model : options.models) {
    LOG(kInfo) << "serving model '" << model.load.served_model_name << "' from "
               << model.load.model;
  }
  std::printf("Hearth is up: %s\n", url.c_str());
  std::fflush(stdout);
  NotifySystemd("READY=1\nSTATUS=" + (*appliance)->StatusLine());

  WaitForStop(signals, **appliance);
  LOG(kInfo) << "stopping: no new requests, streams may finish";
  NotifySystemd("STOPPING=1\nSTATUS=draining");
  (*appliance).reset();
  LOG(kInfo) << "stopped";
  return 0;
}

}  // namespace
}  // namespace hearth

int main(int argc, char** argv) { return hearth::Main(argc, argv); }
