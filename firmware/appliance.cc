#include "firmware/appliance.h"

#include <filesystem>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "firmware/api/openai_api.h"
#include "firmware/api/prometheus_api.h"
#include "firmware/api/status_api.h"
#include "firmware/device/gpu_metrics.h"
#include "firmware/http/assets_handler.h"
#include "firmware/http/server.h"
#include "firmware/metrics/exposition.h"
#include "firmware/metrics/observer.h"
#include "firmware/models/model_manager.h"
#include "firmware/sampler.h"
#include "storage/history.h"

namespace hearth {

// In the order of their making; the destructor of Appliance takes them down.
struct Appliance::Parts {
  Parts(const ApplianceOptions& options_in, std::unique_ptr<storage::History> history_in)
      : options(options_in),
        start_time_s(static_cast<double>(WallMillis()) / 1000),
        history(std::move(history_in)),
        service_observer(&registry),
        models(options.engine_executable, &registry) {}

  const ApplianceOptions options;
  const double start_time_s;
  metrics::Registry registry;
  std::unique_ptr<storage::History> history;
  metrics::ServiceObserver service_observer;
  models::ModelManager models;
  std::unique_ptr<device::GpuMetrics> gpu;
  std::unique_ptr<Sampler> sampler;
  std::unique_ptr<http::Server> server;
};

namespace {

// For /api/v1/metadata: the metrics table as Prometheus would have read it from /metrics.
std::map<std::string, api::MetricMetadata> MetricsMetadata() {
  std::map<std::string, api::MetricMetadata> metadata;
  for (const auto& def : metrics::MetricDefs()) {
    metadata[std::string(def.name)] = {std::string(metrics::TypeName(def.kind)),
                                       std::string(def.help), ""};
  }
  return metadata;
}

http::Router MakeRouter(models::ModelManager* models, metrics::Registry* registry,
                        metrics::ServiceObserver* observer, const storage::History& history,
                        double start_time_s) {
  http::Router router;
  const auto add = [&](std::vector<http::Route> routes) {
    for (auto& route : routes) router.Add(std::move(route));
  };
  add(api::OpenAiRoutes(models, observer));
  add(api::StatusRoutes(models, registry, start_time_s));
  add(api::PrometheusRoutes(history, Clock::System(), MetricsMetadata));
  add(http::AssetRoutes());
  return router;
}

}  // namespace

Appliance::Appliance(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Appliance>> Appliance::Start(const ApplianceOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.state_directory, error);
  if (error) {
    return InvalidArgument("cannot make the state directory '" + options.state_directory +
                           "': " + error.message());
  }
  storage::HistoryOptions history_options;
  history_options.path = (std::filesystem::path(options.state_directory) / "history.db").string();
  history_options.commit_interval_s = options.history_commit_interval_s;
  HEARTH_ASSIGN_OR_RETURN(auto history,
                          storage::History::Open(history_options, Clock::System()));
  auto parts = std::make_unique<Parts>(options, std::move(history));
  Parts& p = *parts;
  p.registry.Set(p.registry.Get(metrics::MetricId::kBuildInfo, {std::string(kVersion)}), 1);

  http::ServerOptions server_options;
  server_options.bind_address = options.host;
  server_options.port = options.port;
  server_options.observer = [observer = &p.service_observer](const http::RequestRecord& record) {
    observer->OnHttpRequest(record.handler, record.method, record.status, record.duration_s);
  };
  // The model is known before HTTP answers: /v1/models is never empty, every series exists from the start.
  p.models.Serve(options.load);
  HEARTH_ASSIGN_OR_RETURN(
      p.server, http::Server::Start(server_options,
                                    MakeRouter(&p.models, &p.registry, &p.service_observer,
                                               *p.history, p.start_time_s)));
  p.gpu = std::make_unique<device::GpuMetrics>(&p.registry);
  p.sampler = std::make_unique<Sampler>(&p.registry, p.history.get());
  return std::unique_ptr<Appliance>(new Appliance(std::move(parts)));
}

Appliance::~Appliance() {
  Parts& p = *parts_;
  p.server->Drain(std::chrono::duration<double>(p.options.drain_timeout_s));
  p.models.Stop();
  p.server->Stop();
  p.sampler.reset();  // its last sample holds the drained requests
  if (const Status flushed = p.history->Flush(); !flushed.ok()) {
    LOG(kError) << "the last minute of history is lost: " << flushed.message();
  }
}

int Appliance::port() const { return parts_->server->port(); }

std::string Appliance::StatusLine() const {
  std::string line;
  for (const auto& model : parts_->models.Statuses()) {
    if (!line.empty()) line += "; ";
    line += model.model_name + " " + std::string(models::StateName(model.replica.state));
    if (!model.replica.phase.empty()) line += " (" + model.replica.phase + ")";
  }
  return line;
}

}  // namespace hearth
