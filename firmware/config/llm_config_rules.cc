// What no single field can say: rules between fields, and what a box caps.
#include <algorithm>
#include <cctype>

#include "firmware/config/llm_config_fields.h"

namespace hearth::config {
namespace {

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      words.emplace_back();
    } else {
      words.back() += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return words;
}

// Whether the device ("NVIDIA A100-SXM4-40GB") is of the type ("A100-40G"): it has all its words.
bool IsOfType(std::string_view device_name, const std::string& type) {
  const std::vector<std::string> words = WordsOf(device_name);
  const auto has = [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (type == "A10G") return has("A10") || has("A10G");
  const std::vector<std::string> wanted = WordsOf(type);
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& word) { return has(word) || has(word + "B"); });
}

}  // namespace

void CheckTogether(const Document& document, const Json& json, const std::string& path,
                   const LlmConfig& config, std::vector<Problem>& problems) {
  const auto fail = [&](const std::string& field, const Json& value, const std::string& message) {
    problems.push_back(
        ProblemAt(document, Severity::kError, MemberPath(path, field), value, message));
  };
  const EngineKwargs& engine = config.engine_kwargs;
  if (engine.max_num_batched_tokens < engine.max_num_seqs) {
    const std::string field = MemberPath(path, "engine_kwargs.max_num_batched_tokens");
    fail("engine_kwargs.max_num_batched_tokens", engine.max_num_batched_tokens,
         field + " (" + std::to_string(engine.max_num_batched_tokens) +
             ") must be at least max_num_seqs (" + std::to_string(engine.max_num_seqs) + ")");
  }
  const auto kwargs = json.find("engine_kwargs");
  if (config.log_engine_metrics && kwargs != json.end() && kwargs->is_object() &&
      kwargs->value("disable_log_stats", Json(false)) == true) {
    fail("engine_kwargs.disable_log_stats", true,
         MemberPath(path, "engine_kwargs.disable_log_stats") +
             " cannot be true while log_engine_metrics is on; set log_engine_metrics to false");
  }
  const auto& autoscaling = config.deployment_config.autoscaling_config;
  if (!autoscaling) return;
  const std::string at = "deployment_config.autoscaling_config";
  const auto deployment = json.find("deployment_config");
  const Json count = deployment->value("num_replicas", Json(nullptr));
  if (!count.is_null() && count != "auto") {
    fail("deployment_config.num_replicas", count,
         MemberPath(path, "deployment_config.num_replicas") + " (" + ShowValue(count) +
             ") cannot stand beside autoscaling_config; keep one of them");
  }
  const int min = autoscaling->min_replicas, max = autoscaling->max_replicas;
  if (max < min) {
    fail(at + ".max_replicas", max,
         MemberPath(path, at) + ": max_replicas (" + std::to_string(max) +
             ") must be greater than or equal to min_replicas (" + std::to_string(min) + ")");
  }
  if (autoscaling->initial_replicas &&
      (*autoscaling->initial_replicas < min || *autoscaling->initial_replicas > max)) {
    fail(at + ".initial_replicas", *autoscaling->initial_replicas,
         MemberPath(path, at) + ": initial_replicas (" +
             std::to_string(*autoscaling->initial_replicas) + ") must lie between min_replicas (" +
             std::to_string(min) + ") and max_replicas (" + std::to_string(max) + ")");
  }
}

std::vector<Capped> CapsOf(const LlmConfig& config, const std::string& path,
                           const BoxFacts& facts) {
  std::vector<Capped> caps;
  const auto cap = [&](const std::string& field, Json configured, Json effective,
                       std::string reason) {
    if (configured != effective)
      caps.push_back({MemberPath(path, field), std::move(configured), std::move(effective),
                      std::move(reason)});
  };
  if (config.accelerator_type) {
    const std::string type = *config.accelerator_type == "A10" ? "A10G" : *config.accelerator_type;
    const bool has_it = facts.device == "cuda" && IsOfType(facts.device_name, type);
    const bool is_named = facts.device == "cuda" && !facts.device_name.empty();
    cap("accelerator_type", *config.accelerator_type,
        has_it ? type : is_named ? facts.device_name : facts.device,
        has_it ? "Ray calls the A10 so" : "the model runs on what this box has");
  }
  const std::string most =
      "this box runs at most " + std::to_string(facts.replicas_max) + " engines of a model";
  const auto cap_count = [&](const std::string& field, int count) {
    cap("deployment_config." + field, count, std::min(count, facts.replicas_max), most);
  };
  const auto& autoscaling = config.deployment_config.autoscaling_config;
  if (autoscaling) {
    cap_count("autoscaling_config.min_replicas", autoscaling->min_replicas);
    cap_count("autoscaling_config.max_replicas", autoscaling->max_replicas);
  } else {
    cap_count("num_replicas", config.deployment_config.num_replicas);
  }
  return caps;
}

}  // namespace hearth::config
