#include "firmware/usage/usage_fields.h"

#include <algorithm>
#include <functional>

#include "base/version.h"

namespace hearth::usage {
namespace {

constexpr const char* kUnspecified = "UNSPECIFIED";

std::string Join(const UsageFacts& facts, const std::function<std::string(const UsageModel&)>& of) {
  std::string text;
  for (const UsageModel& model : facts.models) text += (text.empty() ? "" : ",") + of(model);
  return text;
}

std::string Flag(bool value) { return value ? "1" : "0"; }

const std::optional<config::AutoscalingConfig>& Autoscaling(const UsageModel& model) {
  return model.config.deployment_config.autoscaling_config;
}

// As Ray counts them: those that autoscale start with initial_replicas, or else min_replicas.
int Replicas(const UsageModel& model) {
  const auto& autoscaling = Autoscaling(model);
  if (!autoscaling) return model.config.deployment_config.num_replicas;
  return autoscaling->initial_replicas.value_or(autoscaling->min_replicas);
}

std::string Architecture(const UsageModel& model) {
  return model.architecture.empty() ? kUnspecified : model.architecture;
}

std::string GpuType(const UsageFacts& facts, const UsageModel& model) {
  if (model.config.accelerator_type) return *model.config.accelerator_type;
  return facts.gpus.empty() ? kUnspecified : facts.gpus.front();
}

// A JSON array in a text, one object per model, as Ray has it. null: no such choice here; what has one
// value in this release has it in every report.
Json EngineConfig(const UsageFacts& facts) {
  Json list = Json::array();
  for (const UsageModel& model : facts.models) {
    const config::EngineKwargs& kwargs = model.config.engine_kwargs;
    list.push_back(Json{{"quantization", nullptr},
                        {"dtype", model.dtype.empty() ? kwargs.dtype : model.dtype},
                        {"max_model_len", model.max_model_len},
                        {"max_num_seqs", kwargs.max_num_seqs},
                        {"max_num_batched_tokens", kwargs.max_num_batched_tokens},
                        {"prefix_caching", kwargs.enable_prefix_caching},
                        {"chunked_prefill", true},
                        {"kv_cache_dtype", "auto"},
                        {"speculative_decoding", false},
                        {"enforce_eager", nullptr},
                        {"pipeline_parallel", 1},
                        {"accelerator_kind", model.device},
                        {"log_engine_metrics", model.config.log_engine_metrics},
                        {"distributed_executor_backend", nullptr},
                        {"load_format", "safetensors"},
                        {"multimodal", false}});
  }
  return DumpJson(list);
}

constexpr UsageField kFields[] = {
    {"schema_version", false, "Version of this list of fields.",
     [](const UsageFacts&) -> Json { return "1"; }},
    {"source", false, "Which program reports.", [](const UsageFacts&) -> Json { return "hearth"; }},
    {"hearth_version", false, "Its version.",
     [](const UsageFacts&) -> Json { return std::string(kVersion); }},
    {"session_id", false,
     "A random number of this run of hearthd; another after every start, and of no machine or person.",
     [](const UsageFacts& facts) -> Json { return facts.session_id; }},
    {"session_start_timestamp_ms", false, "When hearthd was started.",
     [](const UsageFacts& facts) -> Json { return facts.session_start_ms; }},
    {"collect_timestamp_ms", false, "When this report was made.",
     [](const UsageFacts& facts) -> Json { return facts.collect_ms; }},
    {"seq_number", false, "Reports of this run before this one.",
     [](const UsageFacts& facts) -> Json { return facts.seq_number; }},
    {"total_success", false, "Reports of this run that the receiver took.",
     [](const UsageFacts& facts) -> Json { return facts.total_success; }},
    {"total_failed", false, "Reports of this run that could not be sent. None is sent again.",
     [](const UsageFacts& facts) -> Json { return facts.total_failed; }},
    {"os", false, "The operating system.", [](const UsageFacts& facts) -> Json { return facts.os; }},
    {"libc_version", false, "Version of the C library.",
     [](const UsageFacts& facts) -> Json { return facts.libc_version; }},
    {"total_num_cpus", false, "Processors of the box.",
     [](const UsageFacts& facts) -> Json { return facts.num_cpus; }},
    {"total_num_gpus", false, "GPUs of the box.",
     [](const UsageFacts& facts) -> Json { return facts.gpus.size(); }},
    {"total_memory_gb", false, "Main memory, in whole GB.",
     [](const UsageFacts& facts) -> Json { return (facts.memory_bytes + 500'000'000) / 1'000'000'000; }},
    {"llm_serve_models", true, "Architecture of each served model; not its name.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, Architecture);
     }},
    {"llm_serve_serve_multiple_models", true, "1 when more than one model is served.",
     [](const UsageFacts& facts) -> Json { return Flag(facts.models.size() > 1); }},
    {"llm_serve_serve_multiple_apps", true, "Always 0: a box serves one application.",
     [](const UsageFacts&) -> Json { return Flag(false); }},
    {"llm_serve_json_mode_models", true,
     "Models that answered in JSON mode; empty, as this release has no JSON mode.",
     [](const UsageFacts&) -> Json { return ""; }},
    {"llm_serve_lora_base_models", true,
     "Models with LoRA adapters; empty, as this release loads none.",
     [](const UsageFacts&) -> Json { return ""; }},
    {"llm_serve_initial_num_lora_adapters", true, "Adapters loaded at the start, for each model.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel&) { return std::string("0"); });
     }},
    {"llm_serve_autoscaling_enabled_models", true,
     "Architecture of the models that have an autoscaling_config.",
     [](const UsageFacts& facts) -> Json {
       UsageFacts scaled;
       std::copy_if(facts.models.begin(), facts.models.end(), std::back_inserter(scaled.models),
                    [](const UsageModel& m) { return Autoscaling(m).has_value(); });
       return Join(scaled, Architecture);
     }},
    {"llm_serve_autoscaling_min_replicas", true, "min_replicas of each model, as configured.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel& m) {
         return std::to_string(Autoscaling(m) ? Autoscaling(m)->min_replicas : Replicas(m));
       });
     }},
    {"llm_serve_autoscaling_max_replicas", true, "max_replicas of each model, as configured.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel& m) {
         return std::to_string(Autoscaling(m) ? Autoscaling(m)->max_replicas : Replicas(m));
       });
     }},
    {"llm_serve_tensor_parallel_degree", true, "Always 1 for each model: a model runs on one device.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel&) { return std::string("1"); });
     }},
    {"llm_serve_num_replicas", true, "Replicas that each model starts with, as configured.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel& m) { return std::to_string(Replicas(m)); });
     }},
    {"llm_serve_gpu_type", true, "accelerator_type of each model, else the GPU of the box.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [&](const UsageModel& m) { return GpuType(facts, m); });
     }},
    {"llm_serve_num_gpus", true, "GPUs that each model takes.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel& m) { return Flag(m.device == "cuda"); });
     }},
    {"llm_serve_deploy_outcome", true,
     "What became of each model: success, starting or other. The text of an error is not in it.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel& m) { return m.outcome; });
     }},
    {"hearth_apply_outcome", true,
     "How the last change of the configuration ended, as one word: confirmed, or the class of the "
     "reason, such as does_not_fit. Empty: none ended yet.",
     [](const UsageFacts& facts) -> Json { return facts.apply_outcome; }},
    {"llm_serve_serving_pattern", true, "How models are served: default, one engine for each.",
     [](const UsageFacts& facts) -> Json {
       return Join(facts, [](const UsageModel&) { return std::string("default"); });
     }},
    {"llm_serve_engine_config", true, "Engine settings, one object for each model.", EngineConfig},
};

}  // namespace

std::span<const UsageField> UsageFields() { return kFields; }

Json MakeReport(const UsageFacts& facts) {
  Json report = Json::object();
  Json tags = Json::object();
  for (const UsageField& field : kFields) {
    (field.is_tag ? tags : report)[field.name] = field.value(facts);
  }
  report["extra_usage_tags"] = std::move(tags);
  return report;
}

std::string ReportText(const Json& report) { return report.dump(2); }

}  // namespace hearth::usage
