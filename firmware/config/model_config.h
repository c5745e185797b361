// The model configuration: what this box serves, in Ray Serve LLM's own spelling (LLMConfig and the
// application files around it; field names, defaults and rules as in Ray 2.5x).
//
// Only what the box acts upon has a member. Fields that are accepted without effect (inert) live in
// the text alone and come back with a warning that says why.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "firmware/config/problem.h"

namespace hearth::config {

struct ModelLoadingConfig {
  std::string model_id;      // the `model` clients send
  std::string model_source;  // a directory, or a Hugging Face id; empty: model_id
};

// vLLM's engine arguments.
struct EngineKwargs {
  int max_model_len = 0;              // tokens; 0: the model's own
  int max_num_seqs = 64;              // sequences in one step
  int max_num_batched_tokens = 2048;  // tokens in one step
  int64_t kv_cache_memory_bytes = 0;  // 0: chosen from free memory
  std::string dtype = "auto";         // auto | bfloat16 | float32
  bool enable_prefix_caching = true;
  std::vector<std::string> served_model_name;  // further names clients may use
};

struct AutoscalingConfig {
  int min_replicas = 1;
  std::optional<int> initial_replicas;
  int max_replicas = 1;
  double target_ongoing_requests = 2;
  double look_back_period_s = 30;
  double upscale_delay_s = 30;
  double downscale_delay_s = 600;
  std::optional<double> downscale_to_zero_delay_s;  // absent: downscale_delay_s
  double upscaling_factor = 1;
  double downscaling_factor = 1;
};

struct DeploymentConfig {
  int num_replicas = 1;
  std::optional<AutoscalingConfig> autoscaling_config;
  int64_t max_ongoing_requests = 1'000'000'000;  // of a replica; more wait in line
  int64_t max_queued_requests = -1;              // of those that wait; -1: no bound of its own
  double graceful_shutdown_timeout_s = 600;      // how long a replica that goes may finish requests
};

// What Ray leaves free to its users (experimental_configs), so that an export stays Ray's.
struct ExperimentalConfigs {
  int cpu_threads = 0;  // of the CPU engine; 0: physical cores
  double slo_ttft_ms = 2000;  // objectives; 0: none
  double slo_tpot_ms = 200;
  double slo_e2e_ms = 0;
  bool pinned = false;  // gives way to no other model
};

struct LlmConfig {
  ModelLoadingConfig model_loading_config;
  EngineKwargs engine_kwargs;
  std::optional<std::string> accelerator_type;
  DeploymentConfig deployment_config;
  ExperimentalConfigs experimental_configs;
  bool log_engine_metrics = true;
};

// A value that the box takes, but caps.
struct Capped {
  std::string path;
  Json configured;
  Json effective;
  std::string reason;
};

struct CheckedModelConfig {
  std::vector<Problem> problems;  // all of them, in the order of the text
  std::vector<LlmConfig> llm_configs;  // meaningless when HasErrors(problems)
  std::vector<std::string> paths;      // of each in the text: "llm_configs[0]"
  std::map<std::string, Place> places;  // of everything in the text, by path
  std::vector<Capped> capped;
  Json normal;  // {"llm_configs": [...]}: the document with what it left out absent, whatever its form was

  bool ok() const { return !HasErrors(problems); }
};

// What the fields' limits depend on.
struct BoxFacts {
  std::string device = "cpu";  // cpu | cuda
  std::string device_name;     // "NVIDIA A10G", "AMD EPYC 7R32"
  int replicas_max = limits::kReplicasMax;  // engines of one model this box runs
};

// Text: YAML or JSON of an application file (`applications:`), `llm_configs:`, a bare list of
// LLMConfigs, or one LLMConfig. An empty list serves nothing and is valid. No text makes it throw,
// and none takes more than a bounded time (aliases, depth and size are limited).
CheckedModelConfig CheckModelConfig(std::string_view text, const BoxFacts& facts);

// Every field: name, type, limits, default, effect, reason, help. For the page's form, docs/CONFIG.md
// and the nearest-key search. Shape: see config_schema.h.
Json ModelConfigSchema();

// As a Ray Serve application file in YAML. Reading it back gives the same llm_configs.
std::string ExportYaml(const Json& normal);

// One LLMConfig as JSON: only what differs from the defaults, and model_loading_config.
Json ToNormalJson(const LlmConfig& config);

}  // namespace hearth::config
