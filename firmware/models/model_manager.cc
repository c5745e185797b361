#include "firmware/models/model_manager.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"

namespace hearth::models {

using metrics::MetricId;

Ticket::~Ticket() {
  if (stream_ != nullptr && !finished_) replica_->Abort(stream_->request_id());
}

std::optional<StreamEvent> Ticket::Next(std::chrono::duration<double> timeout) {
  auto event = stream_->Next(timeout);
  if (event && IsFinal(*event)) finished_ = true;
  return event;
}

std::string NameOfDirectory(const std::string& model_directory) {
  const auto path = std::filesystem::path(model_directory).lexically_normal();
  return (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
}

ModelManager::Model::Model(ModelOptions options_in, metrics::Registry* registry)
    : options(std::move(options_in)),
      created_time_s(static_cast<double>(WallMillis()) / 1000),
      slo(registry, options.load.served_model_name),
      observer(registry, options.load.served_model_name) {
  slo.SetTargets(options.slo);
}

ModelManager::ModelManager(std::string engine_executable, metrics::Registry* registry,
                           metrics::RequestLedger* ledger)
    : engine_executable_(std::move(engine_executable)),
      registry_(registry),
      ledger_(ledger),
      loop_duration_(registry->Get(MetricId::kServeControllerLoopDuration)),
      num_loops_(registry->Get(MetricId::kServeControllerNumLoops)) {}

Status ModelManager::Serve(ModelOptions options) {
  const std::string name = options.load.served_model_name;
  std::lock_guard lock(mutex_);
  if (name.empty()) return InvalidArgument("a model needs a name; give it a served_model_name");
  ModelPtr model = FindLocked(name);
  if (model != nullptr && model->is_served) {
    return FailedPrecondition("the model '" + name + "' is served already; unload it first");
  }
  if (model != nullptr && model->num_unloads > 0) {
    return FailedPrecondition("the model '" + name +
                              "' is being unloaded; load it again when its requests have ended");
  }
  if (model == nullptr && models_.size() >= limits::kModelsMax) {
    return ResourceExhausted("this box has known " + std::to_string(models_.size()) +
                             " models since it started, its limit; use one of their names");
  }
  ShowEngineMetrics(name, options.log_engine_metrics);
  if (model == nullptr) {
    model = std::make_shared<Model>(std::move(options), registry_);
    ledger_->OnModelKnown(name, &model->slo);
    models_.push_back(model);
  } else {
    model->slo.SetTargets(options.slo);
    model->options = std::move(options);
    model->replicas.clear();
    model->is_served = true;
  }
  model->replicas.push_back(std::make_shared<Replica>(engine_executable_, model->options.load,
                                                      registry_, &model->slo, 0));
  return Status::Ok();
}

Status ModelManager::Unload(const std::string& model_name, double drain_s) {
  ModelPtr model;
  std::vector<std::shared_ptr<Replica>> replicas;
  {
    std::lock_guard lock(mutex_);
    model = FindLocked(model_name);
    if (model == nullptr) return NoSuchModel(model_name);
    model->is_served = false;
    ++model->num_unloads;
    replicas = model->replicas;
  }
  const double deadline_s = MonotonicSeconds() + drain_s;
  for (const auto& replica : replicas) {
    while (replica->num_ongoing() > 0 && MonotonicSeconds() < deadline_s) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    replica->Stop();
  }
  std::lock_guard lock(mutex_);
  --model->num_unloads;
  return Status::Ok();
}

void ModelManager::ShowEngineMetrics(const std::string& model_name, bool shown) {
  registry_->SetEngineMetricsShown(model_name, shown);
  registry_->Set(registry_->Get(MetricId::kLogEngineMetrics, {model_name}), shown ? 1 : 0);
}

Status ModelManager::SetLogEngineMetrics(const std::string& model_name, bool shown) {
  std::lock_guard lock(mutex_);
  const ModelPtr model = FindLocked(model_name);
  if (model == nullptr) return NoSuchModel(model_name);
  model->options.log_engine_metrics = shown;
  ShowEngineMetrics(model_name, shown);
  return Status::Ok();
}

Status ModelManager::SetSloTargets(const std::string& model_name,
                                   const metrics::SloTargets& targets) {
  std::lock_guard lock(mutex_);
  const ModelPtr model = FindLocked(model_name);
  if (model == nullptr) return NoSuchModel(model_name);
  model->options.slo = targets;
  model->slo.SetTargets(targets);
  return Status::Ok();
}

ModelManager::ModelPtr ModelManager::FindLocked(const std::string& model_name) const {
  const auto it = std::find_if(models_.begin(), models_.end(), [&](const ModelPtr& model) {
    return model->options.load.served_model_name == model_name;
  });
  return it == models_.end() ? nullptr : *it;
}

Status ModelManager::NoSuchModel(const std::string& model_name) const {
  std::string served;
  for (const ModelPtr& model : models_) {
    if (!model->is_served) continue;
    served += (served.empty() ? "'" : ", '") + model->options.load.served_model_name + "'";
  }
  return NotFound("the model '" + model_name + "' does not exist; this box serves " +
                  (served.empty() ? "none" : served));
}

Result<ModelManager::ModelPtr> ModelManager::Find(const std::string& model_name) const {
  std::lock_guard lock(mutex_);
  if (!model_name.empty()) {
    const ModelPtr model = FindLocked(model_name);
    return model != nullptr && model->is_served ? Result(model) : NoSuchModel(model_name);
  }
  ModelPtr only;
  for (const ModelPtr& model : models_) {
    if (!model->is_served) continue;
    if (only != nullptr) return NoSuchModel(model_name);
    only = model;
  }
  return only != nullptr ? Result(only) : NoSuchModel(model_name);
}

Result<std::string> ModelManager::Resolve(const std::string& model_name) const {
  HEARTH_ASSIGN_OR_RETURN(const ModelPtr model, Find(model_name));
  return model->options.load.served_model_name;
}

metrics::ServiceObserver& ModelManager::ObserverOf(const std::string& model_name) const {
  std::lock_guard lock(mutex_);
  const ModelPtr model = FindLocked(model_name);
  CHECK(model != nullptr) << model_name;
  return model->observer;  // models are never removed
}

Result<Ticket> ModelManager::Submit(const std::string& model_name, protocol::Generate generate,
                                    metrics::RequestFacts facts) {
  HEARTH_ASSIGN_OR_RETURN(const ModelPtr model, Find(model_name));
  generate.request_id = next_request_id_.fetch_add(1);
  std::vector<std::shared_ptr<Replica>> replicas;
  {
    std::lock_guard lock(mutex_);
    replicas = model->replicas;
  }
  const auto replica = *std::min_element(
      replicas.begin(), replicas.end(),
      [](const auto& a, const auto& b) { return a->num_ongoing() < b->num_ongoing(); });
  const std::string route = facts.route;
  model->num_placing.fetch_add(1);
  auto stream = replica->Submit(std::move(generate), std::move(facts));
  model->num_placing.fetch_sub(1);
  if (!stream.ok()) return stream.status();
  model->observer.OnPlaced(route);
  return Ticket(replica, std::move(stream).value());
}

std::vector<ModelStatus> ModelManager::Statuses() const {
  std::vector<ModelStatus> statuses;
  std::lock_guard lock(mutex_);
  for (const ModelPtr& model : models_) {
    const auto& replica = *model->replicas.front();
    const ModelOptions& options = model->options;
    statuses.push_back({options.load.served_model_name, options.load.model, model->created_time_s,
                        options.log_engine_metrics, options.slo, replica.status(),
                        replica.num_ongoing()});
  }
  return statuses;
}

void ModelManager::Observe() {
  const double start_s = MonotonicSeconds();
  {
    std::lock_guard lock(mutex_);
    for (const ModelPtr& model : models_) {
      metrics::DeploymentReading reading;
      reading.num_placing = model->num_placing.load();
      reading.target_replicas = reading.desired_replicas = model->is_served ? 1 : 0;
      for (size_t i = 0; i < model->replicas.size(); ++i) {
        const Replica& replica = *model->replicas[i];
        const int num_waiters = replica.num_waiters();
        reading.num_in_backoff += num_waiters;
        reading.num_queued += num_waiters + replica.num_queued();
        reading.replicas.push_back({std::to_string(i),
                                    replica.status().state == ReplicaState::kReady,
                                    replica.num_ongoing()});
      }
      model->observer.OnReading(reading);
    }
  }
  ledger_->Balance();
  registry_->Set(num_loops_, static_cast<double>(++loops_));
  registry_->Set(loop_duration_, MonotonicSeconds() - start_s);
}

void ModelManager::Stop() {
  std::vector<std::shared_ptr<Replica>> replicas;
  {
    std::lock_guard lock(mutex_);
    for (const ModelPtr& model : models_) {
      replicas.insert(replicas.end(), model->replicas.begin(), model->replicas.end());
    }
  }
  for (const auto& replica : replicas) replica->Stop();
}

}  // namespace hearth::models
