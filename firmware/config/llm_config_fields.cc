#include "firmware/config/llm_config_fields.h"

#include <algorithm>

#include "firmware/config/llm_config_parts.h"

namespace hearth::config {
namespace {

// ray.util.accelerators; A10 is Ray's own second name of A10G.
const std::vector<std::string_view>& Accelerators() {
  static const std::vector<std::string_view> names{
      "A10G", "A100", "H100", "H200", "L4", "L40S", "T4", "A10", "A100-40G", "A100-80G", "A6000",
      "B200", "B300", "GH200", "H20", "K80", "L40", "P100", "P4", "RTX-A6000", "RTX-PRO-6000",
      "V100", "TPU-V2", "TPU-V3", "TPU-V4", "TPU-V5P", "TPU-V5LITEPOD", "TPU-V6E", "TPU-V7X",
      "Intel-GPU-Max-1550", "Intel-GPU-Max-1100", "Intel-GAUDI", "AMD-Instinct-MI100",
      "AMD-Instinct-MI210", "AMD-Instinct-MI250X", "AMD-Instinct-MI250X-MI250",
      "AMD-Instinct-MI300A", "AMD-Instinct-MI300X-OAM", "AMD-Instinct-MI300X-HF",
      "AMD-Instinct-MI308X", "AMD-Instinct-MI325X-OAM", "AMD-Instinct-MI350X-OAM",
      "AMD-Instinct-MI355X-OAM", "AMD-Radeon-R9-200-HD-7900", "AMD-Radeon-HD-7900",
      "aws-neuron-core", "Ascend910B", "Ascend910B4"};
  return names;
}

std::optional<std::string> CheckModelId(const Json& value) {
  const auto& id = value.get_ref<const std::string&>();
  if (id.empty()) return "must not be empty: it is what clients send as `model`";
  if (id.size() > 256) return "has " + std::to_string(id.size()) + " bytes, the limit is 256";
  const bool printable = std::all_of(id.begin(), id.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
  if (!printable) return "must not have control characters, not " + ShowValue(value);
  if (id.front() == ' ' || id.back() == ' ') {
    return "must not begin or end with a space, not " + ShowValue(value);
  }
  return std::nullopt;
}

std::optional<std::string> CheckSource(const Json& value) {
  const auto& source = value.get_ref<const std::string&>();
  for (const std::string_view scheme : {"s3://", "gs://", "abfss://", "azure://", "http://", "https://"}) {
    if (source.starts_with(scheme)) {
      return "must be a directory of this box or a Hugging Face id, not " + ShowValue(value) +
             ": copy the model to this box and name its directory";
    }
  }
  if (source.find('\n') != std::string::npos) return "must be one line, not " + ShowValue(value);
  return std::nullopt;
}

constexpr std::string_view kNoLora = "LoRA adapters are not served by this release; leave it out";
constexpr std::string_view kNoPython = "no Python runs on this box; leave it out";

// clang-format off
constexpr UnusedField kLora[] = {
    {"dynamic_lora_loading_path", FieldType::kString, "Where adapters lie.", kNoLora},
    {"max_num_adapters_per_replica", FieldType::kInteger, "Adapters loaded at a time.", kNoLora},
    {"download_timeout_s", FieldType::kNumber, "How long a download may take.", kNoLora},
    {"max_download_tries", FieldType::kInteger, "How often a download is tried.", kNoLora},
};
// clang-format on

}  // namespace

void VisitFields(ModelLoadingConfig& c, FieldVisitor& v) {
  v.Value(Field("model_id").Required().Help("The name clients send as `model`."), &c.model_id,
          CheckModelId);
  v.Value(Field("model_source")
              .Of(FieldType::kString)
              .DefaultText("model_id, as a Hugging Face id")
              .Hint("a cloud mirror (bucket_uri) is not read from here: copy the model to this box "
                    "and name its directory")
              .Help("A directory of this box (absolute), or a Hugging Face id of a model in the "
                    "models directory."),
          &c.model_source, CheckSource);
  v.Unused(Field("tokenizer_source")
               .Of(FieldType::kString)
               .Help("Where the tokenizer comes from.")
               .Inert("the tokenizer in the model's directory is taken"));
}

void VisitFields(ExperimentalConfigs& c, FieldVisitor& v) {
  v.Value(Field("cpu_threads")
              .Range(0, 1024)
              .Ours()
              .DefaultText("the physical cores")
              .Help("Threads of the CPU engine."),
          &c.cpu_threads);
  v.Value(Field("slo_ttft_ms")
              .Range(0)
              .Unit("ms")
              .Ours()
              .Live()
              .Help("Objective for the time to the first token; 0 is none."),
          &c.slo_ttft_ms);
  v.Value(Field("slo_tpot_ms")
              .Range(0)
              .Unit("ms")
              .Ours()
              .Live()
              .Help("Objective for the time per output token; 0 is none."),
          &c.slo_tpot_ms);
  v.Value(Field("slo_e2e_ms")
              .Range(0)
              .Unit("ms")
              .Ours()
              .Live()
              .Help("Objective for the whole answer; 0 is none."),
          &c.slo_e2e_ms);
  v.Value(Field("pinned")
              .Ours()
              .Live()
              .Help("Stays in memory when another model needs it. (One whose min_replicas is not 0 does "
                    "so anyway.)"),
          &c.pinned);
  v.Unused(Field("stream_batching_interval_ms")
               .Of(FieldType::kNumber)
               .Help("How long streamed tokens are gathered.")
               .Inert("each step's tokens are sent at once"));
  v.Unused(Field("num_ingress_replicas")
               .Of(FieldType::kInteger)
               .Help("Processes of the HTTP front.")
               .Inert("there is one front, and it does not wait for engines"));
  v.Unused(Field("num_router_replicas")
               .Of(FieldType::kInteger)
               .Help("Of older Ray.")
               .Refused("Ray renamed it; use num_ingress_replicas"));
}

void VisitFields(LlmConfig& config, FieldVisitor& v) {
  v.Object(Field("model_loading_config").Required().Help("Which model, and from where."),
           [&](FieldVisitor& w) { VisitFields(config.model_loading_config, w); });
  v.Value(Field("accelerator_type")
              .Choices(Accelerators())
              .DefaultText("what the box has")
              .Help("The GPU the model is meant for."),
          &config.accelerator_type);
  v.Object(Field("engine_kwargs").Help("Settings of the engine, by vLLM's names."),
           [&](FieldVisitor& w) { VisitFields(config.engine_kwargs, w); });
  v.Object(Field("deployment_config").Help("How many engines, and what they take on."),
           [&](FieldVisitor& w) { VisitFields(config.deployment_config, w); });
  v.Value(Field("log_engine_metrics").Live().Help("Show and record the engine's metrics (vllm:*)."),
          &config.log_engine_metrics);
  v.Object(Field("experimental_configs")
               .Help("What Ray leaves open; Hearth keeps its own settings here."),
           [&](FieldVisitor& w) { VisitFields(config.experimental_configs, w); });
  v.Unused(Field("accelerator_config")
               .Of(FieldType::kObject)
               .Help("The kind of hardware.")
               .Inert("the box knows its own hardware"));
  v.Unused(Field("placement_group_config")
               .Of(FieldType::kObject)
               .Help("Bundles on a cluster.")
               .Inert("there is one box, and one place on it"));
  v.Object(Field("lora_config").Help("LoRA adapters.").Refused(kNoLora),
           [](FieldVisitor& w) { VisitRefused(kLora, w); });
  v.Unused(Field("runtime_env")
               .Of(FieldType::kObject)
               .Help("Environment of Ray's workers.")
               .Inert("the engine takes no environment from here"));
  v.Unused(Field("llm_engine").Of(FieldType::kString).Help("The engine.").MustBe("vLLM", "Ray knows no other; here it means Hearth's engine"));
  v.Unused(Field("server_cls")
               .Help("A server class of one's own.")
               .Refused(kNoPython));
  v.Unused(Field("callback_config")
               .Of(FieldType::kObject)
               .Help("Python called at the start.")
               .Refused(kNoPython));
  v.Unused(Field("resources_per_bundle")
               .Of(FieldType::kObject)
               .Help("Of older Ray.")
               .Refused("Ray replaced it; use placement_group_config"));
}

void VisitApplicationFields(FieldVisitor& v) {
  v.Unused(Field("name")
               .Of(FieldType::kString)
               .Help("The application's name; the box serves one application."));
  v.Unused(Field("route_prefix")
               .Of(FieldType::kString)
               .Help("Where it is served.")
               .MustBe("/", "the API stays at /v1"));
  v.Unused(Field("import_path")
               .Of(FieldType::kString)
               .Help("What builds the application.")
               .MustBe("ray.serve.llm:build_openai_app", "it is what serves llm_configs"));
  v.Unused(Field("runtime_env")
               .Of(FieldType::kObject)
               .Help("Environment of Ray's workers.")
               .Inert("the engine takes no environment from here"));
  v.Unused(Field("deployments")
               .Of(FieldType::kAny)
               .Help("Options by deployment.")
               .Refused("say it in each llm_config's deployment_config"));
}

}  // namespace hearth::config
