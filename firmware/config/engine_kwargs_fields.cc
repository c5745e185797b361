// engine_kwargs: vLLM's engine arguments.
#include <algorithm>

#include "firmware/config/llm_config_parts.h"

namespace hearth::config {
namespace {

using enum FieldType;

// clang-format off
constexpr UnusedField kInert[] = {
    {"gpu_memory_utilization", kNumber, "Share of the GPU's memory.",
     "the KV cache is sized by kv_cache_memory_bytes, or from the memory that is free"},
    {"swap_space", kNumber, "GiB of memory to swap into.",
     "preempted requests are computed again, nothing is swapped"},
    {"enforce_eager", kBoolean, "No CUDA graphs.", "this engine chooses its own execution"},
    {"max_seq_len_to_capture", kInteger, "For CUDA graphs.", "this engine chooses its own execution"},
    {"compilation_config", kAny, "Of torch.compile.", "nothing is compiled here"},
    {"load_format", kString, "How weights are stored.", "safetensors are read, whatever this says"},
    {"enable_chunked_prefill", kBoolean, "Long prompts in pieces.",
     "prompts are always cut to the step's token budget"},
    {"max_num_partial_prefills", kInteger, "Prompts computed at once.",
     "the step's token budget decides"},
    {"async_scheduling", kBoolean, "Schedule ahead.", "this engine has one loop"},
    {"enable_log_requests", kBoolean, "Log each request.",
     "the Requests page keeps the last requests, without their text"},
    {"disable_log_requests", kBoolean, "Do not log each request.",
     "requests are never written to the log"},
    {"max_log_len", kInteger, "Characters of a prompt in the log.",
     "prompts are never written to the log"},
    {"disable_log_stats", kBoolean, "No engine metrics.", "log_engine_metrics decides"},
    {"seed", kInteger, "Seed of the engine.", "each request may bring its own seed"},
    {"tokenizer_mode", kString, "Which tokenizer code.", "there is one"},
    {"download_dir", kString, "Where downloads go.",
     "models lie in the models directory of the box config"},
    {"generation_config", kString, "Where sampling defaults come from.",
     "generation_config.json of the model is read"},
    {"distributed_executor_backend", kString, "How workers are started.",
     "an engine here is one process"},
    {"use_v2_block_manager", kBoolean, "Of older vLLM.", "there is one block manager"},
    {"max_loras", kInteger, "Adapters in one batch.",
     "LoRA adapters are not served by this release"},
    {"max_lora_rank", kInteger, "Largest rank of an adapter.",
     "LoRA adapters are not served by this release"},
    {"limit_mm_per_prompt", kAny, "Images of a prompt.", "models of text are served"},
};

constexpr UnusedField kRefused[] = {
    {"quantization", kString, "How weights are quantized.",
     "weights are kept as bfloat16 or float32 (dtype); serve the unquantized model"},
    {"speculative_config", kAny, "Draft tokens.", "this engine does not speculate; leave it out"},
    {"kv_transfer_config", kAny, "KV blocks over the network.",
     "there is no other engine to hand KV blocks to; leave it out"},
    {"hf_overrides", kAny, "Fields of config.json.", "config.json is read as it is; change it there"},
    {"rope_scaling", kAny, "A stretched context.", "the model's own rope parameters hold"},
    {"reasoning_parser", kString, "Splits off reasoning.",
     "answers are given as the model writes them; leave it out"},
    {"tool_call_parser", kString, "Reads tool calls.",
     "tool calls are not parsed by this release; leave it out"},
    {"chat_template", kString, "Another chat template.",
     "the model's own is taken; change it in tokenizer_config.json"},
    {"model", kString, "The model.", "say it in model_loading_config.model_source"},
    {"tokenizer", kString, "The tokenizer.", "the one in the model's directory is taken; leave it out"},
};
// clang-format on

std::optional<std::string> CheckNames(const Json& value) {
  const auto is_name = [](const Json& name) {
    return name.is_string() && !name.get_ref<const std::string&>().empty();
  };
  if (value.is_null() || is_name(value)) return std::nullopt;
  if (value.is_array() && std::all_of(value.begin(), value.end(), is_name)) return std::nullopt;
  return "must be a name, or a list of names, not " + ShowValue(value);
}

// What has one value here.
void VisitFixed(FieldVisitor& v) {
  constexpr std::string_view kOneDevice =
      "this box has one device; a model that needs more of them does not fit here";
  constexpr std::string_view kEngines = "autoscaling_config.max_replicas says how many engines";
  const auto integer = [&](std::string_view name, std::string_view help, int64_t value,
                           std::string_view why) {
    v.Unused(Field(name).Of(kInteger).Help(help).MustBe(value, why));
  };
  integer("tensor_parallel_size", "GPUs a replica is cut over.", 1, kOneDevice);
  integer("pipeline_parallel_size", "Stages a replica is cut into.", 1, kOneDevice);
  integer("data_parallel_size", "Copies of the engine in one replica.", 1, kEngines);
  integer("data_parallel_size_local", "Copies of the engine on this node.", 1, kEngines);
  integer("block_size", "Tokens of a KV block.", 16, "KV blocks have 16 tokens here");
  integer("cpu_offload_gb", "GiB of weights kept on the host.", 0, "weights stay on the device");
  const auto off = [&](std::string_view name, std::string_view help, std::string_view why) {
    v.Unused(Field(name).Of(kBoolean).Help(help).MustBe(false, why));
  };
  off("enable_expert_parallel", "Experts over GPUs.", kOneDevice);
  off("enable_lora", "Serve LoRA adapters.", "LoRA adapters are not served by this release");
  off("trust_remote_code", "Run the model's own Python.", "no code of a model is run here");
  off("enable_auto_tool_choice", "Tool calls.", "tool calls are not parsed by this release");
  const auto word = [&](std::string_view name, std::string_view help, const char* value,
                        std::string_view why) {
    v.Unused(Field(name).Of(kString).Help(help).MustBe(value, why));
  };
  word("kv_cache_dtype", "How the KV cache is kept.", "auto", "the backend chooses it");
  word("task", "What the model does.", "generate", "this engine generates text");
  word("runner", "What the model does.", "generate", "this engine generates text");
}

}  // namespace

void VisitFields(EngineKwargs& c, FieldVisitor& v) {
  Json names = c.served_model_name;  // a name, or a list of them
  if (names.empty()) names = nullptr;
  v.Value(Field("served_model_name")
              .Allowed("a name, or a list of names")
              .DefaultText("model_id alone")
              .Live()
              .Help("Further names clients may use; series and answers carry model_id."),
          &names, CheckNames);
  if (names.is_string()) names = Json::array({names});
  c.served_model_name = names.is_array() && !CheckNames(names)
                            ? names.get<std::vector<std::string>>()
                            : std::vector<std::string>();
  v.Value(Field("max_model_len")
              .Range(1, 1 << 24)
              .Unit("tokens")
              .DefaultText("the model's own")
              .Help("The longest prompt and answer together."),
          &c.max_model_len);
  v.Value(Field("max_num_seqs")
              .Range(1, 1024)
              .Unit("sequences")
              .Help("Sequences computed in one step."),
          &c.max_num_seqs);
  v.Value(Field("max_num_batched_tokens")
              .Range(1, 1 << 20)
              .Unit("tokens")
              .Help("Tokens computed in one step; at least max_num_seqs."),
          &c.max_num_batched_tokens);
  v.Value(Field("kv_cache_memory_bytes")
              .Range(1)
              .Unit("bytes")
              .DefaultText("chosen from the memory that is free")
              .Help("Memory of the KV cache."),
          &c.kv_cache_memory_bytes);
  v.Value(Field("dtype")
              .Choices({"auto", "bfloat16", "float32"})
              .Help("How weights are kept; auto is the checkpoint's, where the backend can."),
          &c.dtype);
  v.Value(Field("enable_prefix_caching")
              .Help("Keep what was computed of a prompt for the next that begins alike."),
          &c.enable_prefix_caching);
  VisitFixed(v);
  VisitInert(kInert, v);
  VisitRefused(kRefused, v);
  v.Unused(Field("hf_token")
               .Of(kString)
               .Secret()
               .Help("Token for gated models.")
               .Refused("a secret does not belong in a configuration that is shown and exported; "
                        "put the model on "
                        "this box and leave it out"));
}

}  // namespace hearth::config
