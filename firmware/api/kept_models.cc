#include "firmware/api/kept_models.h"

#include "base/log.h"

namespace hearth::api {
namespace {

constexpr const char* kAuthor = "api";
// Revisions that are tried until one can be read.
constexpr int64_t kRevisionsTried = 20;
// How often a change is made anew upon what another wrote meanwhile.
constexpr int kSaveTries = 3;

// The document's models, or what is wrong with it.
Result<Json> ReadModels(const std::string& document) {
  HEARTH_ASSIGN_OR_RETURN(Json json, ParseJson(document));
  if (!json.is_object() || !json.contains("models") || !json["models"].is_object()) {
    return InvalidArgument("the document must be an object with an object 'models'");
  }
  for (const auto& [name, entry] : json["models"].items()) {
    if (!entry.is_object()) return InvalidArgument("the model '" + name + "' must be an object");
    if (entry.contains("model") && !entry["model"].is_string()) {
      return InvalidArgument("the field 'model' of '" + name + "' must be a directory");
    }
    HEARTH_RETURN_IF_ERROR(ReadModelChanges(entry, {}, {"model"}).status());
  }
  return std::move(json["models"]);
}

ModelChanges SettingsOf(const Json& entry, const metrics::SloTargets& slo) {
  return ReadModelChanges(entry, slo, {"model"}).value();  // ReadModels has checked it
}

}  // namespace

Result<std::unique_ptr<KeptModels>> KeptModels::Open(const std::string& path, const Clock* clock,
                                                     std::set<std::string> command_line) {
  std::unique_ptr<KeptModels> kept(new KeptModels(std::move(command_line)));
  auto file = storage::RevisionFile::Open(path, clock);
  if (file.status().code() == StatusCode::kFailedPrecondition) return file.status();
  if (!file.ok()) {
    kept->Trouble("models that were added are not served: " + file.status().message());
    return kept;
  }
  kept->file_ = *std::move(file);
  if (const std::string& why = kept->file_->set_aside(); !why.empty()) kept->Trouble(why);
  if (const Status loaded = kept->Load(); !loaded.ok()) kept->Trouble(loaded.message());
  return kept;
}

// The newest revision that can be read; the next change goes on top of the newest there is.
Status KeptModels::Load() {
  HEARTH_ASSIGN_OR_RETURN(const auto revisions, file_->List(kRevisionsTried));
  revision_ = revisions.empty() ? 0 : revisions.front().id;
  models_ = Json::object();
  for (const storage::Revision& revision : revisions) {
    auto models = ReadModels(revision.document);
    if (models.ok()) {
      models_ = *std::move(models);
      return Status::Ok();
    }
    Trouble("revision " + std::to_string(revision.id) + " of the configuration " + file_->path() +
            " cannot be read, the one before it is taken: " + models.status().message());
  }
  return Status::Ok();
}

void KeptModels::Trouble(std::string sentence) {
  LOG(kError) << sentence;
  troubles_.push_back(std::move(sentence));
}

std::vector<std::string> KeptModels::troubles() const {
  std::lock_guard lock(mutex_);
  return troubles_;
}

void KeptModels::ApplySettings(models::ModelOptions& model) {
  std::lock_guard lock(mutex_);
  const auto entry = models_.find(model.load.served_model_name);
  if (entry != models_.end()) SettingsOf(*entry, model.slo).ApplyTo(model);
}

std::vector<models::ModelOptions> KeptModels::Added(const models::ModelOptions& defaults) {
  std::lock_guard lock(mutex_);
  std::vector<models::ModelOptions> added;
  for (const auto& [name, entry] : models_.items()) {
    if (!entry.contains("model") || command_line_.contains(name)) continue;
    models::ModelOptions& model = added.emplace_back(defaults);
    model.load.model = entry["model"].get<std::string>();
    model.load.served_model_name = name;
    SettingsOf(entry, model.slo).ApplyTo(model);
  }
  return added;
}

Status KeptModels::KeepAdded(const models::ModelOptions& model) {
  const std::string& name = model.load.served_model_name;
  return Change("add " + name, [&](Json& models) {
    models[name] = {{"model", model.load.model}};
    WriteModelChanges({model.log_engine_metrics, model.slo}, models[name]);
  });
}

Status KeptModels::KeepSettings(const std::string& model_name, const ModelChanges& changes) {
  return Change("change " + model_name, [&](Json& models) {
    if (!models.contains(model_name)) models[model_name] = Json::object();
    WriteModelChanges(changes, models[model_name]);
  });
}

Status KeptModels::Forget(const std::string& model_name) {
  return Change("remove " + model_name, [&](Json& models) {
    if (!models.contains(model_name)) return;
    models[model_name].erase("model");
    if (!command_line_.contains(model_name)) models.erase(model_name);
  });
}

Status KeptModels::Change(const std::string& note,
                          const std::function<void(Json& models)>& change) {
  std::lock_guard lock(mutex_);
  if (file_ == nullptr) {
    return Unavailable("the configuration could not be opened when hearthd started, so that "
                       "changes last until it ends; see the log, and restart it");
  }
  for (int i = 0;; ++i) {
    Json changed = models_;
    change(changed);
    if (changed == models_) return Status::Ok();
    const auto saved =
        file_->Save(DumpJson(Json{{"models", changed}}), kAuthor, note, revision_);
    if (saved.ok()) {
      models_ = std::move(changed);
      revision_ = *saved;
      return Status::Ok();
    }
    if (saved.status().code() != StatusCode::kAborted || i + 1 >= kSaveTries) {
      return saved.status();
    }
    HEARTH_RETURN_IF_ERROR(Load());
  }
}

}  // namespace hearth::api
