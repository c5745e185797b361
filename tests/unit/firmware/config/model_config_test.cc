#include "firmware/config/model_config.h"

#include <gtest/gtest.h>

namespace hearth::config {
namespace {

// The file of Ray's documentation.
constexpr std::string_view kApplication = R"(applications:
- name: llm_app
  route_prefix: "/"
  import_path: ray.serve.llm:build_openai_app
  args:
    llm_configs:
    - model_loading_config: {model_id: qwen-0.5b, model_source: Qwen/Qwen2.5-0.5B-Instruct}
      accelerator_type: A10G
      deployment_config: {autoscaling_config: {min_replicas: 1, max_replicas: 2}}
      log_engine_metrics: false
)";

CheckedModelConfig Check(std::string_view text) { return CheckModelConfig(text, {}); }

std::string Messages(const CheckedModelConfig& checked, Severity severity = Severity::kError) {
  std::string all;
  for (const Problem& problem : checked.problems) {
    if (problem.severity == severity) all += problem.message + "\n";
  }
  return all;
}

// One model "m" with the lines beside model_loading_config.
CheckedModelConfig CheckWith(const std::string& lines) {
  return Check("model_loading_config: {model_id: m}\n" + lines);
}

TEST(ModelConfig, ReadsRaysApplicationFile) {
  const CheckedModelConfig checked = Check(kApplication);
  ASSERT_TRUE(checked.ok()) << Messages(checked);
  ASSERT_EQ(checked.llm_configs.size(), 1u);
  const LlmConfig& config = checked.llm_configs[0];
  EXPECT_EQ(config.model_loading_config.model_id, "qwen-0.5b");
  EXPECT_EQ(config.model_loading_config.model_source, "Qwen/Qwen2.5-0.5B-Instruct");
  EXPECT_EQ(config.accelerator_type, "A10G");
  EXPECT_EQ(config.deployment_config.autoscaling_config->max_replicas, 2);
  EXPECT_FALSE(config.log_engine_metrics);
  EXPECT_EQ(config.engine_kwargs.max_num_seqs, 64);
}

TEST(ModelConfig, ReadsEveryFormToTheSame) {
  const std::string config = R"({"model_loading_config": {"model_id": "m"}})";
  const Json expected = Json::parse(R"({"llm_configs": [)" + config + "]}");
  for (const std::string& text : {config, "[" + config + "]", R"({"llm_configs": [)" + config + "]}",
                                  std::string("llm_configs:\n- model_loading_config:\n    model_id: m\n"),
                                  std::string("- |\n  model_loading_config:\n    model_id: m\n")}) {
    const CheckedModelConfig checked = Check(text);
    EXPECT_TRUE(checked.ok()) << text << Messages(checked);
    EXPECT_EQ(checked.normal, expected) << text;
  }
}

TEST(ModelConfig, ServesNothingWhenTheListIsEmpty) {
  EXPECT_TRUE(Check("llm_configs: []").ok());
  EXPECT_NE(Messages(Check("")).find("llm_configs: []"), std::string::npos);
  EXPECT_NE(Messages(Check("# nothing\n")).find("empty"), std::string::npos);
}

TEST(ModelConfig, TakesNoFileNamesButTheirText) {
  const CheckedModelConfig checked = Check("llm_configs: [configs/qwen.yaml]");
  EXPECT_NE(Messages(checked).find("paste what stands in it"), std::string::npos);
  EXPECT_NE(Messages(Check("kind: RayService\nspec: {}")).find("serveConfigV2"), std::string::npos);
}

TEST(ModelConfig, ShowsWhatItCaps) {
  const CheckedModelConfig checked = Check(kApplication);
  ASSERT_EQ(checked.capped.size(), 1u);
  EXPECT_EQ(checked.capped[0].path, "applications[0].args.llm_configs[0].accelerator_type");
  EXPECT_EQ(checked.capped[0].configured, "A10G");
  EXPECT_EQ(checked.capped[0].effective, "cpu");
  const auto many = CheckWith(
      "deployment_config: {autoscaling_config: {min_replicas: 0, max_replicas: 100}}");
  ASSERT_EQ(many.capped.size(), 1u);
  EXPECT_EQ(many.capped[0].configured, 100);
  EXPECT_EQ(many.capped[0].effective, 8);
  EXPECT_EQ(many.capped[0].reason, "this box runs at most 8 engines of a model");
}

TEST(ModelConfig, TakesFurtherNamesOfAModelOnce) {
  const auto checked = CheckWith("engine_kwargs: {served_model_name: [m, chat, gpt-4o]}");
  ASSERT_TRUE(checked.ok()) << Messages(checked);
  EXPECT_EQ(checked.llm_configs[0].engine_kwargs.served_model_name,
            (std::vector<std::string>{"m", "chat", "gpt-4o"}));
  const auto one = CheckWith("engine_kwargs: {served_model_name: chat}");
  EXPECT_EQ(one.llm_configs[0].engine_kwargs.served_model_name, std::vector<std::string>{"chat"});
  EXPECT_NE(Messages(CheckWith("engine_kwargs: {served_model_name: [1]}")).find("a list of names"),
            std::string::npos);
  const auto twice = Check(
      "- {model_loading_config: {model_id: a}, engine_kwargs: {served_model_name: chat}}\n"
      "- {model_loading_config: {model_id: chat}}\n");
  EXPECT_NE(Messages(twice).find("is \"chat\", as that of [0]"), std::string::npos);
}

TEST(ModelConfig, KnowsItsAcceleratorByRaysNames) {
  const auto effective = [](std::string_view type, const std::string& device) -> Json {
    const auto checked = CheckModelConfig("model_loading_config: {model_id: m}\naccelerator_type: " +
                                              std::string(type),
                                          {.device = "cuda", .device_name = device});
    EXPECT_TRUE(checked.ok()) << Messages(checked);
    return checked.capped.empty() ? Json(nullptr) : checked.capped[0].effective;
  };
  EXPECT_EQ(effective("A10G", "NVIDIA A10G"), Json(nullptr));
  EXPECT_EQ(effective("A10", "NVIDIA A10G"), "A10G");
  EXPECT_EQ(effective("A10G", "NVIDIA A100-SXM4-40GB"), "NVIDIA A100-SXM4-40GB");
  EXPECT_EQ(effective("A100-40G", "NVIDIA A100-SXM4-40GB"), Json(nullptr));
  EXPECT_EQ(effective("A100-80G", "NVIDIA A100-SXM4-40GB"), "NVIDIA A100-SXM4-40GB");
  EXPECT_EQ(effective("L4", "NVIDIA L40S"), "NVIDIA L40S");
  const auto unknown = CheckWith("accelerator_type: A1OG\n");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.problems[0].nearest, "A10G");
  EXPECT_NE(Messages(unknown).find("did you mean 'A10G'?"), std::string::npos);
}

TEST(ModelConfig, RefusesWhatFieldsSayAgainstEachOther) {
  const std::pair<const char*, const char*> kCases[] = {
      {"engine_kwargs: {max_num_seqs: 64, max_num_batched_tokens: 32}",
       "engine_kwargs.max_num_batched_tokens (32) must be at least max_num_seqs (64)"},
      {"engine_kwargs: {disable_log_stats: true}", "set log_engine_metrics to false"},
      {"deployment_config: {num_replicas: 2, autoscaling_config: {}}", "keep one of them"},
      {"deployment_config: {autoscaling_config: {min_replicas: 3, max_replicas: 2}}",
       "max_replicas (2) must be greater than or equal to min_replicas (3)"},
      {"deployment_config: {autoscaling_config: {initial_replicas: 2}}",
       "initial_replicas (2) must lie between min_replicas (1) and max_replicas (1)"},
      {"deployment_config: {num_replicas: many}", "an integer from 0 to 1000, or \"auto\""},
      {"deployment_config: {num_replicas: 1001}", "an integer from 0 to 1000, or \"auto\""},
      {"engine_kwargs: {tensor_parallel_size: 2}", "must be 1, not 2: this box has one device"},
      {"engine_kwargs: {trust_remote_code: true}", "no code of a model is run here"},
  };
  for (const auto& [lines, words] : kCases) {
    const CheckedModelConfig checked = CheckWith(lines);
    EXPECT_NE(Messages(checked).find(words), std::string::npos) << lines << "\n" << Messages(checked);
  }
  EXPECT_TRUE(CheckWith("engine_kwargs: {disable_log_stats: true}\nlog_engine_metrics: false").ok());
}

TEST(ModelConfig, RefusesANameThatIsTaken) {
  const CheckedModelConfig checked =
      Check("- model_loading_config: {model_id: m}\n- model_loading_config: {model_id: m}\n");
  ASSERT_EQ(checked.problems.size(), 1u);
  EXPECT_EQ(checked.problems[0].path, "[1].model_loading_config.model_id");
  EXPECT_EQ(checked.problems[0].place.line, 2);
  EXPECT_NE(Messages(checked).find("as that of [0]"), std::string::npos);
}

TEST(ModelConfig, WarnsOfWhatHasNoEffectAndKeepsIt) {
  const CheckedModelConfig checked = CheckWith(
      "engine_kwargs: {gpu_memory_utilization: 0.9}\n"
      "deployment_config: {autoscaling_config: {metrics_interval_s: 5}}\n");
  ASSERT_TRUE(checked.ok()) << Messages(checked);
  const std::string warnings = Messages(checked, Severity::kWarning);
  EXPECT_NE(warnings.find("engine_kwargs.gpu_memory_utilization has no effect here: the KV cache"),
            std::string::npos);
  EXPECT_NE(warnings.find("metrics_interval_s has no effect here"), std::string::npos);
  EXPECT_EQ(checked.normal["llm_configs"][0]["engine_kwargs"]["gpu_memory_utilization"], 0.9);
}

TEST(ModelConfig, ReadsAutoAsRayDoes) {
  const auto checked = CheckWith("deployment_config: {num_replicas: auto}");
  ASSERT_TRUE(checked.ok()) << Messages(checked);
  const auto& autoscaling = checked.llm_configs[0].deployment_config.autoscaling_config;
  ASSERT_TRUE(autoscaling);
  EXPECT_EQ(autoscaling->min_replicas, 1);
  EXPECT_EQ(autoscaling->max_replicas, 100);
  EXPECT_TRUE(
      CheckWith("deployment_config: {num_replicas: auto, autoscaling_config: {min_replicas: 3}}").ok());
}

TEST(ModelConfig, WantsTrueOrFalseNotYesOrNo) {
  EXPECT_NE(Messages(CheckWith("log_engine_metrics: no")).find("must be true or false, not \"no\""),
            std::string::npos);
  EXPECT_NE(Messages(CheckWith("engine_kwargs: {max_num_seqs: \"8\"}")).find("not \"8\""),
            std::string::npos);
  EXPECT_NE(Messages(CheckWith("engine_kwargs: {max_num_seqs: 1_000}")).find("not \"1_000\""),
            std::string::npos);
  EXPECT_NE(Messages(CheckWith("engine_kwargs: {kv_cache_memory_bytes: 99999999999999999999}"))
                .find("not 1e+20"),
            std::string::npos);
  EXPECT_TRUE(CheckWith("engine_kwargs: {kv_cache_memory_bytes: 1e9}").ok());
}

TEST(ModelConfig, BoundsTheNumberOfModels) {
  std::string text = "llm_configs:\n";
  for (int i = 0; i < 101; ++i) {
    text += "- model_loading_config: {model_id: m" + std::to_string(i) + "}\n";
  }
  EXPECT_NE(Messages(Check(text)).find("101 of them, the limit is 100"), std::string::npos);
}

TEST(ModelConfig, WritesAConfigAsItWasSaid) {
  const Json said = Json::parse(R"({
    "model_loading_config": {"model_id": "m", "model_source": "/models/m"},
    "accelerator_type": "L4",
    "engine_kwargs": {"max_model_len": 4096, "dtype": "float32", "enable_prefix_caching": false},
    "deployment_config": {"num_replicas": 2, "max_ongoing_requests": 8},
    "experimental_configs": {"cpu_threads": 3},
    "log_engine_metrics": false})");
  const CheckedModelConfig checked = Check(DumpJson(said));
  ASSERT_TRUE(checked.ok()) << Messages(checked);
  Json written = ToNormalJson(checked.llm_configs[0]);
  const auto again = Check(DumpJson(written));
  ASSERT_TRUE(again.ok()) << Messages(again);
  EXPECT_EQ(ToNormalJson(again.llm_configs[0]), written);
  for (const auto& [name, value] : said.items()) EXPECT_EQ(written[name], value) << name;
  EXPECT_EQ(written.size(), said.size());
}

TEST(ModelConfig, ExportsWhatItReadsAgain) {
  const CheckedModelConfig checked = Check(R"({"llm_configs": [
    {"model_loading_config": {"model_id": "no", "model_source": "/a: b #c"},
     "engine_kwargs": {"limit_mm_per_prompt": {"yes": [1, [], {}, "0x10", "1e3", "", " x", "a\nb", "é"],
                       "<<": null, "-": 1e-7, "~": -0.5, "k: v": "null"}}},
    {"model_loading_config": {"model_id": "on"}}]})");
  ASSERT_TRUE(checked.ok()) << Messages(checked);
  const std::string text = ExportYaml(checked.normal);
  const CheckedModelConfig again = Check(text);
  ASSERT_TRUE(again.ok()) << text << Messages(again);
  EXPECT_EQ(again.normal, checked.normal) << text;
  EXPECT_NE(text.find("import_path: ray.serve.llm:build_openai_app"), std::string::npos) << text;
  EXPECT_NE(text.find("model_id: \"no\""), std::string::npos) << "PyYAML reads no as false: " << text;
  EXPECT_NE(text.find("1.0e-07"), std::string::npos) << "PyYAML reads 1e-07 as a word: " << text;
}

TEST(ModelConfig, SchemaHasEveryFieldWithItsReason) {
  const Json schema = ModelConfigSchema();
  const auto find = [](const Json& fields, std::string_view name) -> Json {
    for (const Json& field : fields) {
      if (field["name"] == name) return field;
    }
    ADD_FAILURE() << name;
    return Json::object();
  };
  const Json kwargs = find(schema["fields"], "engine_kwargs")["fields"];
  EXPECT_EQ(find(kwargs, "max_num_seqs")["max"], 1024);
  EXPECT_EQ(find(kwargs, "tensor_parallel_size")["must_be"], 1);
  EXPECT_EQ(find(kwargs, "quantization")["effect"], "refused");
  const auto check = [](const Json& fields, const auto& self) -> void {
    for (const Json& field : fields) {
      SCOPED_TRACE(field["name"]);
      EXPECT_FALSE(field["help"].get<std::string>().empty());
      EXPECT_EQ(field.contains("reason"),
                field["effect"] != "honoured" || field.contains("must_be"));
      if (field.contains("fields")) self(field["fields"], self);
    }
  };
  check(schema["fields"], check);
  check(schema["application"], check);
}

}  // namespace
}  // namespace hearth::config
