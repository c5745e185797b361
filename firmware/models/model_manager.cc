#include "firmware/models/model_manager.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "firmware/metrics/process_metrics.h"
#include "firmware/models/engine_planner.h"

namespace hearth::models {

using metrics::MetricId;

namespace {

constexpr std::chrono::milliseconds kDrainCheck{20};
constexpr double kPlanTimeoutS = 15;

}  // namespace

std::string NameOfDirectory(const std::string& model_directory) {
  const auto path = std::filesystem::path(model_directory).lexically_normal();
  return (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
}

ModelManager::ModelManager(ModelManagerOptions options, metrics::Registry* registry,
                           metrics::RequestLedger* ledger)
    : options_(std::move(options)),
      registry_(registry),
      ledger_(ledger),
      loop_duration_(registry->Get(MetricId::kServeControllerLoopDuration)),
      num_loops_(registry->Get(MetricId::kServeControllerNumLoops)),
      drainer_([this] { RunDrainer(); }),
      scaler_(HostOfScaler(), scaler_bell_) {}

ModelManager::~ModelManager() { Stop(); }

// ---- Which models there are
// -------------------------------------------------------------------------

ModelManager::DeploymentPtr ModelManager::FindLocked(const std::string& model_name) const {
  const auto it = std::find_if(deployments_.begin(), deployments_.end(),
                               [&](const auto& each) { return each->model_name() == model_name; });
  return it == deployments_.end() ? nullptr : *it;
}

ModelManager::DeploymentPtr ModelManager::FindAliasLocked(const std::string& alias) const {
  for (const DeploymentPtr& deployment : deployments_) {
    if (!deployment->is_served()) continue;
    const std::vector<std::string> aliases = deployment->options().aliases;
    if (std::find(aliases.begin(), aliases.end(), alias) != aliases.end()) return deployment;
  }
  return nullptr;
}

std::string ModelManager::ServedNamesLocked() const {
  std::string served;
  for (const DeploymentPtr& deployment : deployments_) {
    if (!deployment->is_served()) continue;
    served += (served.empty() ? "'" : ", '") + deployment->model_name() + "'";
  }
  return served.empty() ? "none" : served;
}

Status ModelManager::NoSuchModelLocked(const std::string& model_name) const {
  return NotFound("the model '" + model_name + "' does not exist; this box serves " +
                  ServedNamesLocked());
}

Result<ModelManager::DeploymentPtr> ModelManager::FindKnown(const std::string& model_name) const {
  std::lock_guard lock(mutex_);
  const DeploymentPtr deployment = FindLocked(model_name);
  if (deployment == nullptr || !deployment->is_known()) return NoSuchModelLocked(model_name);
  return deployment;
}

Result<ModelManager::DeploymentPtr> ModelManager::Find(const std::string& model_name) const {
  std::lock_guard lock(mutex_);
  if (!model_name.empty()) {
    DeploymentPtr deployment = FindLocked(model_name);
    if (deployment != nullptr && deployment->is_served()) return deployment;
    deployment = FindAliasLocked(model_name);
    if (deployment != nullptr) return deployment;
    return NoSuchModelLocked(model_name);
  }
  DeploymentPtr only;
  for (const DeploymentPtr& deployment : deployments_) {
    if (!deployment->is_served()) continue;
    if (only != nullptr) {
      return InvalidArgument("the request names no model, and this box serves several: " +
                             ServedNamesLocked() + "; say which in 'model'");
    }
    only = deployment;
  }
  return only != nullptr ? Result(only) : NoSuchModelLocked(model_name);
}

Result<ModelManager::DeploymentPtr> ModelManager::FindOrMakeLocked(const ModelOptions& options) {
  const std::string& name = options.load.served_model_name;
  if (stopping_) return Unavailable("the server is shutting down");
  if (name.empty()) return InvalidArgument("a model needs a name; give it a served_model_name");
  DeploymentPtr deployment = FindLocked(name);
  if (deployment != nullptr) return deployment;
  if (deployments_.size() >= limits::kModelsMax) {
    return ResourceExhausted("this box has known " + std::to_string(deployments_.size()) +
                             " models since it started, its limit; use one of their names");
  }
  deployment = std::make_shared<Deployment>(options, registry_, BellOfLocked(name), scaler_bell_);
  ledger_->OnModelKnown(name, &deployment->slo());
  deployments_.push_back(deployment);
  return deployment;
}

std::shared_ptr<Bell> ModelManager::BellOfLocked(const std::string& model_name) {
  std::shared_ptr<Bell>& bell = bells_[model_name];
  if (bell == nullptr) bell = std::make_shared<Bell>();
  return bell;
}

// ---- One model
// --------------------------------------------------------------------------------------

Status ModelManager::Serve(ModelOptions options) {
  const std::string& name = options.load.served_model_name;
  std::lock_guard lock(mutex_);
  if (const DeploymentPtr known = FindLocked(name); known != nullptr && known->is_served()) {
    return FailedPrecondition("the model '" + name + "' is served already; unload it first");
  }
  if (unloads_[name] > 0) {
    return FailedPrecondition("the model '" + name +
                              "' is being unloaded; load it again when its requests have ended");
  }
  return LoadLocked(std::move(options));
}

Status ModelManager::ServeAnew(ModelOptions options) {
  std::lock_guard lock(mutex_);
  return LoadLocked(std::move(options));
}

Status ModelManager::LoadLocked(ModelOptions options) {
  const std::string name = options.load.served_model_name;
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindOrMakeLocked(options));
  ShowEngineMetrics(name, options.log_engine_metrics);
  const double timeout_s = deployment->options().graceful_shutdown_timeout_s;
  DrainLocked(name, deployment->Load(options_.engine_executable, std::move(options)), timeout_s);
  return Status::Ok();
}

Status ModelManager::Unload(const std::string& model_name, double drain_s) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(model_name));
  {
    std::lock_guard lock(mutex_);
    ++unloads_[model_name];
  }
  const Deployment::Replicas replicas = deployment->Close();
  const double deadline_s = MonotonicSeconds() + drain_s;
  for (const auto& replica : replicas) {
    while (replica->num_ongoing() > 0 && MonotonicSeconds() < deadline_s) {
      std::this_thread::sleep_for(kDrainCheck);
    }
    replica->Stop();
  }
  std::lock_guard lock(mutex_);
  --unloads_[model_name];
  return Status::Ok();
}

Status ModelManager::Remove(const std::string& model_name) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(model_name));
  std::lock_guard lock(mutex_);
  deployment->Forget();
  DrainLocked(model_name, deployment->Close(), deployment->options().graceful_shutdown_timeout_s);
  return Status::Ok();
}

// ---- Sleep
// -----------------------------------------------------------------------------------------

Status ModelManager::Wake(const std::string& model_name) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, Find(model_name));
  const ModelStatus status = deployment->status();
  if (status.replica.state == ReplicaState::kFailed && !status.is_held) {
    return ServeAnew(deployment->options());
  }
  for (const auto& replica : deployment->replicas()) {
    if (replica->status().state != ReplicaState::kReady) (void)replica->TryAgain();
  }
  deployment->Wake();
  return Status::Ok();
}

Status ModelManager::Sleep(const std::string& model_name) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, Find(model_name));
  HEARTH_ASSIGN_OR_RETURN(const auto gone, deployment->Sleep());
  std::lock_guard lock(mutex_);
  DrainLocked(deployment->model_name(), gone, deployment->options().graceful_shutdown_timeout_s);
  return Status::Ok();
}

// What holds memory and is no replica of a deployment.
std::vector<Tenant> ModelManager::OtherTenants() const {
  std::lock_guard lock(mutex_);
  std::vector<Tenant> tenants;
  using Yields = Tenant::Yields;
  const auto add = [&](const std::string& model_name, Replica& replica, Yields yields) {
    const ReplicaStatus status = replica.status();
    if (status.engine_pid <= 0) return;
    Tenant tenant;
    tenant.model_name = model_name;
    tenant.yields = yields;
    tenant.footprint = FootprintOf(status.ready);
    tenant.resident_bytes = static_cast<int64_t>(
        metrics::ReadProcess(std::to_string(status.engine_pid)).resident_bytes.value_or(0));
    tenants.push_back(std::move(tenant));
  };
  for (const Draining& draining : draining_) {
    add(draining.model_name, *draining.replica, Yields::kWhenIdle);
  }
  for (const auto& weak : candidates_) {
    const auto candidate = weak.lock();
    if (candidate == nullptr || candidate->role() != ReplicaRole::kCandidate) continue;
    add(candidate->load().served_model_name, *candidate, Yields::kNever);
  }
  return tenants;
}

bool ModelManager::ExchangeIsUnderWay() const {
  std::lock_guard lock(mutex_);
  return std::any_of(candidates_.begin(), candidates_.end(), [](const auto& weak) {
    const auto candidate = weak.lock();
    return candidate != nullptr && candidate->role() == ReplicaRole::kCandidate;
  });
}

ScalerHost ModelManager::HostOfScaler() {
  ScalerHost host;
  host.deployments = [this] {
    std::lock_guard lock(mutex_);
    return deployments_;
  };
  host.others = [this] { return OtherTenants(); };
  host.exchanges = [this] { return ExchangeIsUnderWay(); };
  host.drain = [this](const Deployment& from, const Deployment::Replicas& gone) {
    std::lock_guard lock(mutex_);
    DrainLocked(from.model_name(), gone, from.options().graceful_shutdown_timeout_s);
  };
  host.plan = [this](const protocol::Load& load) {
    return PlanEngine(options_.engine_executable, load, kPlanTimeoutS);
  };
  host.on_event = options_.on_event;
  host.engine_executable = options_.engine_executable;
  host.memory_limit_bytes = options_.memory_limit_bytes;
  return host;
}

void ModelManager::ShowEngineMetrics(const std::string& model_name, bool shown) {
  registry_->SetEngineMetricsShown(model_name, shown);
  registry_->Set(registry_->Get(MetricId::kLogEngineMetrics, {model_name}), shown ? 1 : 0);
}

Status ModelManager::ApplyLive(const ModelOptions& options) {
  const std::string& name = options.load.served_model_name;
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(name));
  if (ToJson(deployment->options().load) != ToJson(options.load)) {
    return InvalidArgument("model '" + name +
                           "' cannot take this change while it serves: what its engine was started "
                           "with would differ; exchange the engine");
  }
  deployment->SetLive(options);
  ShowEngineMetrics(name, options.log_engine_metrics);
  return Status::Ok();
}

Status ModelManager::SetLogEngineMetrics(const std::string& model_name, bool shown) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(model_name));
  ModelOptions options = deployment->options();
  options.log_engine_metrics = shown;
  return ApplyLive(options);
}

Status ModelManager::SetSloTargets(const std::string& model_name,
                                   const metrics::SloTargets& targets) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(model_name));
  ModelOptions options = deployment->options();
  options.slo = targets;
  return ApplyLive(options);
}

// ---- The exchange of what a name serves
// -------------------------------------------------------------

Result<std::shared_ptr<Replica>> ModelManager::StartCandidate(const ModelOptions& options) {
  const std::string& name = options.load.served_model_name;
  if (name.empty()) return InvalidArgument("a model needs a name; give it a served_model_name");
  std::lock_guard lock(mutex_);
  if (stopping_) return Unavailable("the server is shutting down");
  std::erase_if(candidates_, [](const auto& candidate) { return candidate.expired(); });
  auto candidate = std::make_shared<Replica>(options_.engine_executable, options.load, nullptr,
                                             BellOfLocked(name));
  candidates_.push_back(candidate);
  return candidate;
}

Result<ProbeAnswer> ModelManager::Probe(Replica& candidate, double timeout_s,
                                        const std::function<bool()>& give_up) {
  return RunProbe(
      candidate, [this] { return next_request_id_.fetch_add(1); }, timeout_s, give_up);
}

Status ModelManager::SwitchTo(ModelOptions options, std::shared_ptr<Replica> candidate) {
  const std::string name = options.load.served_model_name;
  options.load = candidate->load();
  CHECK(options.load.served_model_name == name) << name;
  std::lock_guard lock(mutex_);
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindOrMakeLocked(options));
  const double timeout_s = deployment->options().graceful_shutdown_timeout_s;
  const bool shown = options.log_engine_metrics;
  HEARTH_ASSIGN_OR_RETURN(const auto gone, deployment->Serve(std::move(options), candidate));
  ShowEngineMetrics(name, shown);
  DrainLocked(name, gone, timeout_s);
  return Status::Ok();
}

Status ModelManager::Hold(const std::string& model_name, double wait_s) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(model_name));
  if (!deployment->is_served()) {
    return NotFound("the model '" + model_name + "' is not served; there is nothing to hold");
  }
  deployment->Hold(wait_s);
  return Status::Ok();
}

Status ModelManager::Release(const std::string& model_name) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(model_name));
  deployment->Release();
  return Status::Ok();
}

Status ModelManager::StopReplicas(const std::string& model_name, double drain_s,
                                  const std::function<bool()>& give_up) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, FindKnown(model_name));
  return deployment->StopReplicas(drain_s, give_up);
}

int ModelManager::num_draining(const std::string& model_name) const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(
      std::count_if(draining_.begin(), draining_.end(),
                    [&](const Draining& each) { return each.model_name == model_name; }));
}

int ModelManager::num_draining_requests(const std::string& model_name) const {
  std::lock_guard lock(mutex_);
  int num_requests = 0;
  for (const Draining& each : draining_) {
    if (each.model_name == model_name) num_requests += each.replica->num_ongoing();
  }
  return num_requests;
}

void ModelManager::DrainLocked(const std::string& model_name, const Deployment::Replicas& replicas,
                               double timeout_s) {
  for (const auto& replica : replicas) {
    const bool is_draining =
        std::any_of(draining_.begin(), draining_.end(),
                    [&](const Draining& each) { return each.replica == replica; });
    if (!is_draining) draining_.push_back({replica, model_name, MonotonicSeconds() + timeout_s});
  }
  drain_changed_.notify_all();
}

void ModelManager::RunDrainer() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (draining_.empty()) {
      drain_changed_.wait(lock);
      continue;
    }
    const double now_s = MonotonicSeconds();
    std::vector<Draining> ended;
    for (auto it = draining_.begin(); it != draining_.end();) {
      Replica& replica = *it->replica;
      if (replica.num_ongoing() == 0 || now_s >= it->deadline_s) replica.BeginStop();
      if (replica.HasEnded()) {
        ended.push_back(std::move(*it));
        it = draining_.erase(it);
      } else {
        ++it;
      }
    }
    lock.unlock();
    ended.clear();  // joins their threads, which have ended
    lock.lock();
    if (!draining_.empty()) drain_changed_.wait_for(lock, kDrainCheck);
  }
}

// ---- Requests
// ---------------------------------------------------------------------------------------

Result<std::string> ModelManager::Resolve(const std::string& model_name) const {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, Find(model_name));
  return deployment->model_name();
}

metrics::ServiceObserver& ModelManager::ObserverOf(const std::string& model_name) const {
  std::lock_guard lock(mutex_);
  const DeploymentPtr deployment = FindLocked(model_name);
  CHECK(deployment != nullptr) << model_name;
  return deployment->observer();  // deployments are never removed
}

Result<Ticket> ModelManager::Submit(const std::string& model_name, protocol::Generate generate,
                                    metrics::RequestFacts facts,
                                    const std::function<bool()>& client_gone) {
  HEARTH_ASSIGN_OR_RETURN(const DeploymentPtr deployment, Find(model_name));
  generate.request_id = next_request_id_.fetch_add(1);
  const std::string route = facts.route;
  // Kept by the ticket: a request whose engine ends before its first token is placed once more.
  auto place = [deployment, client_gone](protocol::Generate again,
                                         metrics::RequestFacts its) -> Result<Placed> {
    HEARTH_ASSIGN_OR_RETURN(auto placed,
                            deployment->Place(std::move(again), std::move(its), client_gone));
    return Placed{std::move(placed.replica), std::move(placed.stream)};
  };
  auto ticket = Ticket::Submit(deployment->model_name(), std::move(generate), std::move(facts),
                               std::move(place), &quarantine_, &deployment->observer());
  if (ticket.ok()) deployment->observer().OnPlaced(route);
  return ticket;
}

// ---- All of them
// ------------------------------------------------------------------------------------

std::vector<ModelStatus> ModelManager::Statuses() const {
  std::vector<ModelStatus> statuses;
  std::lock_guard lock(mutex_);
  for (const DeploymentPtr& deployment : deployments_) {
    if (deployment->is_known()) statuses.push_back(deployment->status());
  }
  return statuses;
}

void ModelManager::Observe() {
  const double start_s = MonotonicSeconds();
  {
    std::lock_guard lock(mutex_);
    for (const DeploymentPtr& deployment : deployments_) deployment->Observe();
  }
  ledger_->Balance();
  registry_->Set(num_loops_, static_cast<double>(++loops_));
  registry_->Set(loop_duration_, MonotonicSeconds() - start_s);
}

void ModelManager::Stop() {
  std::lock_guard stopping(stop_mutex_);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const DeploymentPtr& deployment : deployments_) deployment->Shutdown();
  }
  drain_changed_.notify_all();
  if (drainer_.joinable()) drainer_.join();
  scaler_.Stop();
  Deployment::Replicas replicas;
  {
    std::lock_guard lock(mutex_);
    for (const DeploymentPtr& deployment : deployments_) {
      for (const auto& replica : deployment->replicas()) replicas.push_back(replica);
    }
    for (const Draining& draining : draining_) replicas.push_back(draining.replica);
    for (const auto& candidate : candidates_) {
      if (auto replica = candidate.lock()) replicas.push_back(std::move(replica));
    }
  }
  for (const auto& replica : replicas) replica->BeginStop();
  for (const auto& replica : replicas) replica->Stop();
}

}  // namespace hearth::models
