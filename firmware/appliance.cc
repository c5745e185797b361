#include "firmware/appliance.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/version.h"
#include "firmware/alerting/rule_service.h"
#include "firmware/api/config_api.h"
#include "firmware/api/dashboard_store.h"
#include "firmware/api/dashboards_api.h"
#include "firmware/api/engine_log_api.h"
#include "firmware/api/events_api.h"
#include "firmware/api/history_api.h"
#include "firmware/api/library_api.h"
#include "firmware/api/metrics_api.h"
#include "firmware/api/model_edits.h"
#include "firmware/api/model_states_api.h"
#include "firmware/api/models_api.h"
#include "firmware/api/openai_api.h"
#include "firmware/api/prometheus_api.h"
#include "firmware/api/prometheus_status.h"
#include "firmware/api/request_log.h"
#include "firmware/api/requests_api.h"
#include "firmware/api/rules_api.h"
#include "firmware/api/settings_api.h"
#include "firmware/api/status_api.h"
#include "firmware/api/usage_api.h"
#include "firmware/apply/applier.h"
#include "firmware/apply/config_store.h"
#include "firmware/device/device_metrics.h"
#include "firmware/http/assets_handler.h"
#include "firmware/http/body_file.h"
#include "firmware/http/server.h"
#include "firmware/library/library.h"
#include "firmware/metrics/http_observer.h"
#include "firmware/metrics/metrics_pages.h"
#include "firmware/metrics/process_metrics.h"
#include "firmware/metrics/request_ledger.h"
#include "firmware/metrics/viewed_series.h"
#include "firmware/model_events.h"
#include "firmware/models/model_manager.h"
#include "firmware/sampler.h"
#include "firmware/usage_facts.h"
#include "storage/backup.h"
#include "storage/history.h"
#include "storage/promql/ast.h"

namespace hearth {

namespace {

std::string InState(const ApplianceOptions& options, const char* name) {
  return (std::filesystem::path(options.state_directory) / name).string();
}

apply::ApplierOptions ApplierOptionsOf(const ApplianceOptions& options) {
  apply::ApplierOptions applier;
  applier.validator = {options.engine_executable, options.models_directory,
                       options.memory_limit_bytes, options.apply.drain_timeout_s};
  applier.times = {options.apply.ready_timeout_s, options.apply.probe_timeout_s,
                   options.apply.watch_s, options.apply.drain_timeout_s};
  applier.crashes_max = options.recovery.crashes_max;
  applier.crashes_within_s = options.recovery.within_s;
  return applier;
}

usage::UsageReporterOptions UsageOptionsOf(const ApplianceOptions& options) {
  return {options.state_directory,
          options.usage_stats.url,
          options.usage_stats.interval_s,
          {options.usage_opt_out, options.usage_stats.enabled, options.usage_stats_where}};
}

// What serves, and what is configured to: in recovery nothing serves, and all of it is wanted still.
std::vector<library::Use> UsesOf(const std::vector<apply::ServedModel>& serving,
                                 apply::ConfigStore& store) {
  std::vector<library::Use> uses;
  const auto add = [&](const config::LlmConfig& model, const std::string& directory) {
    const config::ModelLoadingConfig& from = model.model_loading_config;
    uses.push_back(
        {from.model_id, from.model_source.empty() ? from.model_id : from.model_source, directory});
  };
  for (const apply::ServedModel& model : serving) add(model.config, model.directory);
  const auto active = store.active();
  if (!active.ok() || *active == 0) return uses;
  const auto revision = store.Get(*active);
  if (!revision.ok()) return uses;
  const config::CheckedModelConfig configured = config::CheckModelConfig(revision->document, {});
  for (const config::LlmConfig& model : configured.llm_configs) add(model, "");
  return uses;
}

}  // namespace

// In the order of their making; the destructor of Appliance takes them down.
struct Appliance::Parts {
  Parts(const ApplianceOptions& options_in, const storage::HistoryOptions& history_options_in,
        std::unique_ptr<storage::History> history_in, std::unique_ptr<apply::ConfigStore> config_in,
        std::unique_ptr<api::DashboardStore> dashboards_in)
      : options(options_in),
        history_options(history_options_in),
        start_time_s(static_cast<double>(WallMillis()) / 1000),
        history(std::move(history_in)),
        config(std::move(config_in)),
        dashboards(std::move(dashboards_in)),
        viewed_series(history.get()),
        http_observer(&registry),
        ledger(&registry),
        request_log(api::RequestLog::Open(
            {InState(options, "requests.db"), options.history_commit_interval_s}, &registry)),
        models({options.engine_executable, options.memory_limit_bytes,
                [this](const char* kind, const std::string& text) {
                  history->AddEvent({WallMillis(), kind, text});
                }},
               &registry, &ledger),
        applier(config.get(), &models, &registry, history.get(), ApplierOptionsOf(options)),
        library(options.library,
                {[this] { return UsesOf(applier.serving(), *config); },
                 [this](const std::string& kind, const std::string& text) {
                   history->AddEvent({WallMillis(), kind, text});
                 }},
                &registry),
        model_events(history.get(), Clock::System()),
        device_metrics(&registry),
        usage(
            UsageOptionsOf(options),
            [this] {
              return CollectUsage(applier.serving(), models.Statuses(), applier.status(),
                                  device_metrics.GpuNames());
            },
            SendUsage, Clock::System()) {}

  http::Router MakeRouter();
  api::ModelStatesSource MakeModelStatesSource();
  void NoteTroubles(std::vector<std::string> troubles);
  void Observe();
  void ObserveMemory(const models::ModelStatus& model);

  const ApplianceOptions options;
  const storage::HistoryOptions history_options;
  const double start_time_s;
  metrics::Registry registry;
  std::unique_ptr<storage::History> history;
  std::unique_ptr<apply::ConfigStore> config;
  std::unique_ptr<api::DashboardStore> dashboards;
  metrics::ViewedSeries viewed_series;
  metrics::HttpObserver http_observer;
  metrics::RequestLedger ledger;
  std::unique_ptr<api::RequestLog> request_log;
  models::ModelManager models;
  apply::Applier applier;
  library::Library library;
  std::unique_ptr<metrics::MetricsPages> pages;
  metrics::Metric* ongoing_requests = nullptr;
  ModelEvents model_events;
  device::DeviceMetrics device_metrics;
  usage::UsageReporter usage;
  std::unique_ptr<RuleService> rules;
  std::unique_ptr<Sampler> sampler;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<remote_write::RemoteWriter> remote_writer;
};

namespace {

// For /api/v1/metadata: every name view as Prometheus would have read it from /metrics.
std::map<std::string, api::MetricMetadata> MetricsMetadata() {
  std::map<std::string, api::MetricMetadata> metadata;
  for (const auto& view : metrics::NameViews()) {
    metadata[view.name] = {std::string(metrics::TypeName(view.kind())),
                           std::string(view.help_text()), ""};
  }
  return metadata;
}

// Why nobody can change the model configuration here; empty: it can be changed.
std::string ReadOnlyReason(const ApplianceOptions& options) {
  if (!options.seed.pinned) return "";
  return "the model configuration is pinned to " + options.seed.source +
         " (model_config.mode: pin); change that file and restart hearthd";
}

// A box without a served model says why, in the form clients of /v1 know.
http::Route UnlessInRecovery(http::Route route, const apply::Applier* applier) {
  route.handler = [applier, handler = std::move(route.handler)](const http::Request& request,
                                                                http::Response& response) {
    const std::string recovery = applier->recovery();
    if (recovery.empty()) return handler(request, response);
    response.SetHeader("Retry-After", "60");
    http::SendError(response, 503, "the box is in recovery mode: " + recovery);
  };
  return route;
}

// What a release before revisions had an author kept, and the seed, as one document; absent at any
// start but the first of this release.
Result<std::optional<std::string>> KeptDocument(apply::ConfigStore& store, const Seed& seed) {
  HEARTH_ASSIGN_OR_RETURN(const int64_t active, store.active());
  HEARTH_ASSIGN_OR_RETURN(const int64_t newest, store.newest());
  if (active != 0 || newest == 0) return std::optional<std::string>();
  HEARTH_ASSIGN_OR_RETURN(const apply::Revision last, store.Get(newest));
  if (!api::IsKeptModels(last.document)) return std::optional<std::string>();
  HEARTH_ASSIGN_OR_RETURN(
      const Json normal,
      api::WithKeptModels(last.document, config::CheckModelConfig(seed.document, {}).normal));
  return std::optional(config::ExportYaml(normal));
}

// The model configuration that this start begins with becomes the active one. What goes wrong is
// added to `troubles`: the one that was active stays so.
void Plant(apply::ConfigStore& store, const Seed& seed, std::vector<std::string>& troubles) {
  auto kept = KeptDocument(store, seed);
  if (!kept.ok()) {
    troubles.push_back("models that were added by an earlier release are not served: " +
                       kept.status().message());
    kept = std::optional<std::string>();
  }
  if (seed.document.empty() && !*kept) return;
  const auto active = store.Seed(
      seed.document, seed.source.empty() ? "an earlier release" : seed.source, seed.pinned, *kept);
  if (!active.ok()) {
    troubles.push_back("the configuration of " + seed.source +
                       " could not be taken: " + active.status().message());
  }
}

RuleServiceOptions RulesOf(const ApplianceOptions& options) {
  RuleServiceOptions rules;
  rules.groups = options.rule_groups;
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  rules.instance = name;
  rules.generator_url = "http://" + rules.instance + ":" + std::to_string(options.port);
  rules.webhook_url = options.alert_webhook_url;
  return rules;
}

// What Prometheus's clients ask about a server, in the names of its configuration and flags.
api::ServerFacts ServerFactsOf(const ApplianceOptions& options, double start_time_s,
                               const storage::History& history) {
  const auto seconds = [](int64_t s) { return promql::DurationText(s * 1000); };
  const storage::HistoryOptions defaults;
  api::ServerFacts facts;
  facts.start_time_ms = static_cast<int64_t>(start_time_s * 1000);
  facts.storage_retention = seconds(defaults.tiers.back().keep_s);
  facts.config_yaml = "global:\n  scrape_interval: 1s\n";
  facts.flags = {{"query.lookback-delta", "5m"},
                 {"query.max-samples", std::to_string(limits::kQuerySamplesMax)},
                 {"query.timeout", seconds(static_cast<int64_t>(limits::kQueryTimeoutS))},
                 {"storage.tsdb.path", options.state_directory},
                 {"storage.tsdb.retention.size", std::to_string(defaults.bytes_max) + "B"},
                 {"storage.tsdb.retention.time", facts.storage_retention},
                 {"web.enable-admin-api", "false"},
                 {"web.listen-address", options.host + ":" + std::to_string(options.port)}};
  if (!options.alert_webhook_url.empty()) {
    facts.alertmanager_urls.push_back(options.alert_webhook_url);
  }
  facts.stored = [&history] {
    api::StoredFacts stored;
    int64_t oldest_ms = storage::Tail::kForever;
    for (const storage::TierStats& tier : history.stats().tiers) {
      stored.chunks += tier.stored.rows;
      oldest_ms = std::min(oldest_ms, tier.stored.oldest_ms);
    }
    if (oldest_ms != storage::Tail::kForever) stored.oldest_ms = oldest_ms;
    return stored;
  };
  return facts;
}

// What a scrape would have added, where nobody chose otherwise: the job, and which box this is.
remote_write::RemoteWriteOptions RemoteWriteOf(const ApplianceOptions& options) {
  remote_write::RemoteWriteOptions remote_write = options.remote_write;
  promql::Labels& labels = remote_write.external_labels;
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  if (labels.Get("job").empty()) labels.Set("job", "hearth");
  if (labels.Get("instance").empty()) labels.Set("instance", name);
  remote_write.pusher.cursor_path = InState(options, "remote_write.json");
  return remote_write;
}

std::vector<device::EngineProcess> EnginesOf(const std::vector<models::ModelStatus>& models) {
  std::vector<device::EngineProcess> engines;
  for (const models::ModelStatus& model : models) {
    for (const models::ReplicaView& replica : model.replicas) {
      if (replica.status.engine_pid <= 0) continue;
      engines.push_back(
          {model.model_name, std::to_string(replica.index), replica.status.engine_pid});
    }
  }
  return engines;
}

// The history of the state directory; a backup that waits there becomes it first.
Result<std::unique_ptr<storage::History>> OpenHistory(const std::string& state_directory,
                                                      const storage::HistoryOptions& options) {
  storage::RemoveTemporaryFiles(state_directory);
  http::BodyFile::RemoveLeftOver(state_directory);
  HEARTH_ASSIGN_OR_RETURN(const std::optional<std::string> restored,
                          storage::TakeRestore(options.path, options.bytes_max));
  HEARTH_ASSIGN_OR_RETURN(auto history, storage::History::Open(options, Clock::System()));
  if (restored) history->AddEvent({WallMillis(), "history_restored", *restored});
  return history;
}

// What the pages draw of a dashboard, as they are told themselves.
Json DrawnFeatures() {
  const std::vector<std::string> texts = http::AssetTexts("/drawn_features.json");
  CHECK(texts.size() == 1);
  return ParseJson(texts[0]).value();
}

}  // namespace

api::ModelStatesSource Appliance::Parts::MakeModelStatesSource() {
  api::ModelStatesSource source;
  source.models = &models;
  source.memory = [this]() -> std::optional<api::DeviceMemory> {
    const auto memory = device_metrics.memory();
    if (!memory) return std::nullopt;
    return api::DeviceMemory{memory->total_bytes, memory->free_bytes};
  };
  source.source_of = [this](const std::string& model_name) {
    for (const apply::ServedModel& served : applier.serving()) {
      if (served.name() == model_name) return served.config.model_loading_config.model_source;
    }
    return std::string();
  };
  source.memory_limit_bytes = options.memory_limit_bytes;
  return source;
}

http::Router Appliance::Parts::MakeRouter() {
  http::Router router;
  const auto add = [&](std::vector<http::Route> routes) {
    for (auto& route : routes) router.Add(std::move(route));
  };
  for (auto& route : api::OpenAiRoutes(&models, &ledger, request_log.get())) {
    router.Add(UnlessInRecovery(std::move(route), &applier));
  }
  add(api::ConfigRoutes(&applier, config.get(), ReadOnlyReason(options)));
  add(api::ModelsRoutes(&applier, config.get(), ReadOnlyReason(options)));
  add(api::ModelStatesRoutes(MakeModelStatesSource()));
  add(api::DashboardsRoutes(dashboards.get(), DrawnFeatures()));
  add(api::EngineLogRoutes());
  add(api::StatusRoutes(&models, &applier, start_time_s));
  add(api::MetricsRoutes(pages.get(), options.metrics_views));
  add(api::PrometheusRoutes(rules->source(), Clock::System(), MetricsMetadata));
  add(api::EventsRoutes(history.get(), Clock::System()));
  add(api::PrometheusStatusRoutes(rules->source(), Clock::System(),
                                  ServerFactsOf(options, start_time_s, *history)));
  add(api::HistoryRoutes(history.get(), history_options));
  add(api::LibraryRoutes(&library));
  add(api::RequestsRoutes(request_log.get()));
  add(api::RulesRoutes([this] { return rules->Groups(); }));
  add(api::SettingsRoutes(&options.settings));
  add(api::UsageRoutes(&usage));
  add(http::AssetRoutes());
  return router;
}

void Appliance::Parts::NoteTroubles(std::vector<std::string> troubles) {
  if (!config->set_aside().empty()) troubles.push_back(config->set_aside());
  for (const auto& others : {dashboards->troubles(), request_log->troubles()}) {
    troubles.insert(troubles.end(), others.begin(), others.end());
  }
  for (const std::string& trouble : troubles) {
    LOG(kError) << trouble;
    history->AddEvent({WallMillis(), "config_trouble", trouble});
  }
}

// What the engines of a model on the CPU hold beside its weights, KV cache and workspace. Reserved KV blocks
// that were never touched are not resident, so this is a lower bound.
void Appliance::Parts::ObserveMemory(const models::ModelStatus& model) {
  metrics::Metric* const other =
      registry.Get(metrics::MetricId::kModelMemoryBytes, {model.model_name, "other"});
  std::optional<double> unaccounted;
  for (const models::ReplicaView& replica : model.replicas) {
    const protocol::Ready& ready = replica.status.ready;
    if (replica.status.engine_pid <= 0 || ready.device != "cpu") continue;
    const auto resident =
        metrics::ReadProcess(std::to_string(replica.status.engine_pid)).resident_bytes;
    if (!resident) continue;
    const auto known =
        static_cast<double>(ready.weight_bytes + ready.kv_cache_bytes + ready.workspace_bytes);
    unaccounted = unaccounted.value_or(0) + std::max(0.0, *resident - known);
  }
  registry.SetExposed(other, unaccounted.has_value());
  if (unaccounted) registry.Set(other, *unaccounted);
}

// What only changes by looking.
void Appliance::Parts::Observe() {
  models.Observe();
  applier.Observe();
  const auto statuses = models.Statuses();
  model_events.Update(statuses);
  for (const std::string& name : models.quarantine().TakeNews()) {
    history->AddEvent({WallMillis(), "request_quarantined",
                       "two engines of " + name + " ended under the same request; it is refused"});
  }
  device_metrics.Update(EnginesOf(statuses));
  library.Observe();
  for (const models::ModelStatus& model : statuses) ObserveMemory(model);
  registry.Set(ongoing_requests, server->ongoing_requests(http::Scope::kInfer));
}

Appliance::Appliance(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Appliance>> Appliance::Start(const ApplianceOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.state_directory, error);
  if (error) {
    return InvalidArgument("cannot make the state directory '" + options.state_directory +
                           "': " + error.message());
  }
  storage::HistoryOptions history_options;
  history_options.path = InState(options, "history.db");
  history_options.commit_interval_s = options.history_commit_interval_s;
  HEARTH_ASSIGN_OR_RETURN(auto history, OpenHistory(options.state_directory, history_options));
  HEARTH_ASSIGN_OR_RETURN(auto config,
                          apply::ConfigStore::Open(InState(options, "config.db"), Clock::System()));
  std::vector<std::string> troubles;
  Plant(*config, options.seed, troubles);
  HEARTH_ASSIGN_OR_RETURN(
      auto dashboards, api::DashboardStore::Open(InState(options, "dashboards.db"), Clock::System(),
                                                 http::AssetTexts("/dashboards/")));
  auto parts = std::make_unique<Parts>(options, history_options, std::move(history),
                                       std::move(config), std::move(dashboards));
  Parts& p = *parts;
  p.registry.Set(p.registry.Get(metrics::MetricId::kBuildInfo, {std::string(kVersion)}), 1);

  http::ServerOptions server_options;
  server_options.bind_address = options.host;
  server_options.port = options.port;
  server_options.observer = [observer = &p.http_observer](const http::RequestRecord& record) {
    observer->OnAnswered({.handler = record.handler,
                          .method = record.method,
                          .status = record.status,
                          .duration_s = record.duration_s,
                          .request_bytes = static_cast<double>(record.request_bytes),
                          .response_bytes = static_cast<double>(record.response_bytes)});
  };
  // The model is known before HTTP answers: /v1/models is never empty, every series exists from the
  // start.
  p.NoteTroubles(std::move(troubles));
  p.applier.Start();
  http::BodyFile::RemoveLeftOver(p.library.uploads_directory());
  p.library.Start();
  p.ongoing_requests = p.registry.Get(metrics::MetricId::kServeNumOngoingHttpRequests);
  p.pages = std::make_unique<metrics::MetricsPages>(&p.registry);
  p.rules = std::make_unique<RuleService>(RulesOf(options), &p.viewed_series, p.history.get(),
                                          &p.registry);
  HEARTH_ASSIGN_OR_RETURN(p.server, http::Server::Start(server_options, p.MakeRouter()));
  p.sampler = std::make_unique<Sampler>(
      &p.registry, p.history.get(), p.pages.get(), [&p] { p.Observe(); },
      [&p] { return p.rules->Samples(); });
  if (!options.remote_write.url.empty()) {
    p.remote_writer = std::make_unique<remote_write::RemoteWriter>(RemoteWriteOf(options),
                                                                   p.history.get(), &p.registry);
  }
  p.usage.Start();
  return std::unique_ptr<Appliance>(new Appliance(std::move(parts)));
}

Appliance::~Appliance() {
  Parts& p = *parts_;
  p.server->Drain(std::chrono::duration<double>(p.options.drain_timeout_s));
  p.usage.Stop();
  p.library.Stop();
  p.applier.Stop();
  p.models.Stop();
  p.server->Stop();
  p.remote_writer.reset();
  p.sampler.reset();  // its last sample holds the drained requests
  if (const Status flushed = p.history->Flush(); !flushed.ok()) {
    LOG(kError) << "the last minute of history is lost: " << flushed.message();
  }
}

int Appliance::port() const { return parts_->server->port(); }

std::string Appliance::StatusLine() const {
  std::string line = parts_->applier.recovery().empty() ? "" : "recovery mode";
  for (const auto& model : parts_->models.Statuses()) {
    if (!line.empty()) line += "; ";
    line += model.model_name + " " + std::string(model.state);
    if (!model.replica.phase.empty()) line += " (" + model.replica.phase + ")";
  }
  return line;
}

}  // namespace hearth
