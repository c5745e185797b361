#include "firmware/models/model_manager.h"

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"

namespace hearth::models {

Ticket::~Ticket() {
  if (stream_ != nullptr && !finished_) replica_->Abort(stream_->request_id());
}

std::optional<StreamEvent> Ticket::Next(std::chrono::duration<double> timeout) {
  auto event = stream_->Next(timeout);
  if (event && IsFinal(*event)) finished_ = true;
  return event;
}

ModelManager::ModelManager(std::string engine_executable, metrics::Registry* registry)
    : engine_executable_(std::move(engine_executable)),
      registry_(registry),
      service_observer_(registry) {}

void ModelManager::Serve(protocol::Load load) {
  service_observer_.OnModelKnown(load.served_model_name);
  Model model{load, static_cast<double>(WallMillis()) / 1000, {}};
  model.replicas.push_back(
      std::make_shared<Replica>(engine_executable_, std::move(load), registry_, 0));
  models_.push_back(std::move(model));
}

const ModelManager::Model* ModelManager::Find(const std::string& model_name) const {
  if (model_name.empty() && models_.size() == 1) return &models_.front();
  const auto it = std::find_if(models_.begin(), models_.end(), [&](const Model& model) {
    return model.load.served_model_name == model_name;
  });
  return it == models_.end() ? nullptr : &*it;
}

Result<std::string> ModelManager::Resolve(const std::string& model_name) const {
  if (const Model* model = Find(model_name)) return model->load.served_model_name;
  std::string served;
  for (const Model& model : models_) {
    served += (served.empty() ? "'" : ", '") + model.load.served_model_name + "'";
  }
  return NotFound("the model '" + model_name + "' does not exist; this box serves " +
                  (served.empty() ? "none" : served));
}

Result<Ticket> ModelManager::Submit(const std::string& model_name, protocol::Generate generate) {
  HEARTH_ASSIGN_OR_RETURN(const std::string name, Resolve(model_name));
  generate.request_id = next_request_id_.fetch_add(1);
  const auto& replicas = Find(name)->replicas;
  const auto replica = *std::min_element(
      replicas.begin(), replicas.end(),
      [](const auto& a, const auto& b) { return a->num_ongoing() < b->num_ongoing(); });
  HEARTH_ASSIGN_OR_RETURN(auto stream, replica->Submit(std::move(generate)));
  return Ticket(replica, std::move(stream));
}

std::vector<ModelStatus> ModelManager::Statuses() const {
  std::vector<ModelStatus> statuses;
  for (const Model& model : models_) {
    const auto& replica = *model.replicas.front();
    statuses.push_back({model.load.served_model_name, model.load.model, model.created_time_s,
                        replica.status(), replica.num_ongoing()});
  }
  return statuses;
}

void ModelManager::Stop() {
  for (Model& model : models_) {
    for (auto& replica : model.replicas) replica->Stop();
  }
}

}  // namespace hearth::models
