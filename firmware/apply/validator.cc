#include "firmware/apply/validator.h"

#include <algorithm>
#include <tuple>

#include "firmware/config/document.h"
#include "firmware/models/engine_planner.h"

namespace hearth::apply {
namespace {

using Kind = Change::Kind;

constexpr double kPlanTimeoutS = 15;

std::string SourceOf(const config::LlmConfig& llm_config) {
  const config::ModelLoadingConfig& loading = llm_config.model_loading_config;
  return loading.model_source.empty() ? loading.model_id : loading.model_source;
}

// Beside the text's own problems: one of this box, at a model's source.
void AddProblem(config::CheckedModelConfig& checked, size_t model, const std::string& message) {
  config::Problem problem;
  problem.path = config::MemberPath(checked.paths[model], "model_loading_config.model_source");
  auto place = checked.places.find(problem.path);
  if (place == checked.places.end()) {
    place = checked.places.find(config::MemberPath(checked.paths[model], "model_loading_config"));
  }
  if (place != checked.places.end()) problem.place = place->second;
  problem.value = checked.llm_configs[model].model_loading_config.model_source;
  problem.message = problem.path + ": " + message;
  checked.problems.push_back(std::move(problem));
}

// What stays, and of those that are only tried the one that fits worst.
models::FitEstimate WorstOf(const models::FitInput& staying,
                            const std::vector<models::StartingModel>& sleepers) {
  if (sleepers.empty()) return models::EstimateFit(staying);
  std::optional<models::FitEstimate> worst;
  const auto rank = [](const models::FitEstimate& fit) {
    return std::tuple(!fit.fits, !fit.fits_together, fit.needed_bytes);
  };
  for (const models::StartingModel& sleeper : sleepers) {
    models::FitInput input = staying;
    input.starts.push_back(sleeper);
    models::FitEstimate fit = models::EstimateFit(input);
    if (!worst || rank(fit) > rank(*worst)) worst = std::move(fit);
  }
  return *worst;
}

// Under a limit an engine must not choose its cache itself: it does not know what others may take.
void TellCacheSizes(const models::FitInput& staying,
                    const std::vector<models::StartingModel>& sleepers, Validated& validated) {
  const auto tell = [&](const models::FitModel& model) {
    for (Change& change : validated.changes) {
      if (change.model_name == model.model_name && change.after) {
        change.after->options.load.kv_cache_bytes = model.kv_cache_bytes;
      }
    }
    for (ServedModel& served : validated.models) {
      if (served.name() == model.model_name)
        served.options.load.kv_cache_bytes = model.kv_cache_bytes;
    }
  };
  for (const models::FitModel& model : models::EstimateFit(staying).models) tell(model);
  for (const models::StartingModel& sleeper : sleepers) {
    models::FitInput input = staying;
    input.starts.push_back(sleeper);
    tell(models::EstimateFit(input).models.back());
  }
}

}  // namespace

config::BoxFacts Validator::Facts() const {
  config::BoxFacts facts;
  for (const auto& status : models_->Statuses()) {
    if (status.replica.ready.device.empty()) continue;
    facts.device = status.replica.ready.device;
    facts.device_name = status.replica.ready.device_name;
  }
  return facts;
}

void Validator::Resolve(Validated& validated) const {
  config::CheckedModelConfig& checked = validated.checked;
  for (size_t i = 0; i < checked.llm_configs.size(); ++i) {
    const config::LlmConfig& llm_config = checked.llm_configs[i];
    const auto directory = FindModel(SourceOf(llm_config), options_.models_directory);
    if (!directory.ok()) {
      AddProblem(checked, i, directory.status().message());
      continue;
    }
    validated.models.push_back({llm_config, *directory, ToModelOptions(llm_config, *directory)});
  }
}

Validated Validator::Validate(const std::string& document,
                              const std::vector<ServedModel>& serving) const {
  Validated validated;
  validated.checked = config::CheckModelConfig(document, Facts());
  if (!validated.checked.ok()) return validated;
  Resolve(validated);
  if (!validated.checked.ok()) return validated;
  validated.changes = PlanChanges(serving, validated.models);
  ReplaceFailed(validated.changes);
  if (std::any_of(validated.changes.begin(), validated.changes.end(), StartsEngine)) {
    validated.fit = Fit(validated);
  }
  return validated;
}

void Validator::ReplaceFailed(std::vector<Change>& changes) const {
  const auto is_same = [](const Change& change) { return change.kind == Kind::kSame; };
  if (!std::all_of(changes.begin(), changes.end(), is_same)) return;
  for (const auto& status : models_->Statuses()) {
    if (status.replica.state != models::ReplicaState::kFailed) continue;
    for (Change& change : changes) {
      if (change.model_name == status.model_name) change.kind = Kind::kReplace;
    }
  }
}

Json Validator::ChangesBetween(const std::string& before, const std::string& after) const {
  std::vector<ServedModel> sides[2];
  const std::string* const texts[] = {&before, &after};
  for (int side = 0; side < 2; ++side) {
    const auto checked = config::CheckModelConfig(*texts[side], Facts());
    for (const config::LlmConfig& llm_config : checked.llm_configs) {
      const std::string source = llm_config.model_loading_config.model_source;
      sides[side].push_back({llm_config, source, ToModelOptions(llm_config, source)});
    }
  }
  return ToJson(PlanChanges(sides[0], sides[1]));
}

// A model whose max_replicas do not all fit is told how many do; the autoscaler finds out by
// itself.
void Validator::CapByMemory(const models::FitInput& input, Validated& validated) const {
  for (const models::StartingModel& start : input.starts) {
    for (size_t i = 0; i < validated.models.size(); ++i) {
      const models::ModelOptions& options = validated.models[i].options;
      if (validated.models[i].name() != start.model_name || !options.autoscales) continue;
      models::FitInput copies = input;
      int num_fitting = 1;  // whether one does, the estimate says
      while (num_fitting < options.autoscaling.max_replicas) {
        copies.starts.push_back(start);
        const models::FitEstimate estimate = models::EstimateFit(copies);
        if (!estimate.fits) break;
        ++num_fitting;
      }
      if (num_fitting == options.autoscaling.max_replicas) continue;
      validated.checked.capped.push_back(
          {config::MemberPath(validated.checked.paths[i],
                              "deployment_config.autoscaling_config.max_replicas"),
           validated.models[i].config.deployment_config.autoscaling_config->max_replicas,
           num_fitting, "that many fit into the memory of this box"});
    }
  }
}

// Of the other models: those whose engine could sleep.
std::vector<std::string> Validator::Yielding(const Validated& validated) const {
  std::vector<std::string> names;
  for (const auto& status : models_->Statuses()) {
    const bool may_sleep = status.options.autoscaling.min_replicas == 0 && !status.options.pinned;
    const bool is_changed =
        std::any_of(validated.changes.begin(), validated.changes.end(), [&](const Change& change) {
          return change.model_name == status.model_name && change.kind != Kind::kSame &&
                 change.kind != Kind::kLive;
        });
    if (may_sleep && !is_changed && !status.replicas.empty()) names.push_back(status.model_name);
  }
  return names;
}

std::vector<models::RunningModel> Validator::Running(const Validated& validated,
                                                     bool others_give_way) const {
  std::vector<std::string> going;
  if (others_give_way) going = Yielding(validated);
  for (const Change& change : validated.changes) {
    if (change.kind == Kind::kReplace || change.kind == Kind::kRemove)
      going.push_back(change.model_name);
  }
  std::vector<models::RunningModel> running;
  for (const auto& status : models_->Statuses()) {
    const bool goes = std::find(going.begin(), going.end(), status.model_name) != going.end();
    for (const models::ReplicaView& replica : status.replicas) {
      if (replica.status.engine_pid <= 0 || replica.status.ready.device.empty()) continue;
      running.push_back({status.model_name, replica.status.ready, 0, goes,
                         DrainTimeoutS(status.options, options_.drain_timeout_s)});
    }
  }
  return running;
}

models::FitEstimate Validator::Fit(Validated& validated) const {
  models::FitInput input;
  input.memory_limit_bytes = options_.memory_limit_bytes;
  std::vector<models::StartingModel> sleepers;
  for (size_t i = 0; i < validated.changes.size(); ++i) {
    const Change& change = validated.changes[i];
    if (!StartsEngine(change)) continue;
    const auto planned =
        models::PlanEngine(options_.engine_executable, change.after->options.load, kPlanTimeoutS);
    if (!planned.ok()) {
      AddProblem(validated.checked, i, planned.status().message());
      continue;
    }
    input.memory_total_bytes = planned->memory_total_bytes;
    input.memory_free_bytes = planned->memory_free_bytes;
    auto& starts = IsTriedOnly(change, *models_) ? sleepers : input.starts;
    starts.push_back(
        {change.model_name, *planned, change.after->options.load.kv_cache_bytes});
  }
  input.runs = Running(validated, false);
  models::FitEstimate fit = WorstOf(input, sleepers);
  if (!fit.fits_together && !Yielding(validated).empty()) {
    input.runs = Running(validated, true);
    models::FitEstimate without = WorstOf(input, sleepers);
    if (without.fits && !fit.fits) {
      fit = std::move(without);
      validated.give_way = Yielding(validated);
    }
  }
  CapByMemory(input, validated);
  if (options_.memory_limit_bytes > 0) TellCacheSizes(input, sleepers, validated);
  return fit;
}

ServedModel Validator::ToServe(const config::LlmConfig& llm_config) const {
  const std::string source = SourceOf(llm_config);
  const auto directory = FindModel(source, options_.models_directory);
  ServedModel model{llm_config, directory.ok() ? *directory : source, {}};
  model.options = ToModelOptions(llm_config, model.directory);
  return model;
}

}  // namespace hearth::apply
