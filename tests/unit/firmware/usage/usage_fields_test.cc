#include "firmware/usage/usage_fields.h"

#include <gtest/gtest.h>

#include <set>

namespace hearth::usage {
namespace {

UsageFacts TwoModels() {
  UsageFacts facts;
  facts.session_id = "abc";
  facts.collect_ms = 1'000;
  facts.num_cpus = 8;
  facts.memory_bytes = 33'600'000'000;
  UsageModel scaled;
  scaled.config.model_loading_config = {"secret-name", "/home/ann/secret-path"};
  scaled.config.accelerator_type = "A10G";
  scaled.config.deployment_config.autoscaling_config = config::AutoscalingConfig();
  scaled.config.deployment_config.autoscaling_config->max_replicas = 2;
  scaled.config.engine_kwargs.max_num_seqs = 7;
  scaled.architecture = "Qwen2ForCausalLM";
  scaled.outcome = "success";
  scaled.device = "cpu";
  scaled.dtype = "bfloat16";
  scaled.max_model_len = 512;
  UsageModel plain;
  plain.config.model_loading_config = {"other-name", ""};
  plain.architecture = "LlamaForCausalLM";
  plain.outcome = "other";
  facts.models = {scaled, plain};
  return facts;
}

TEST(UsageFields, HaveNamesAndExplanations) {
  std::set<std::string> names;
  for (const UsageField& field : UsageFields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_NE(std::string(field.help), "") << field.name;
  }
}

TEST(UsageFields, AreWhatTheReportConsistsOf) {
  const Json report = MakeReport(TwoModels());
  size_t fields = 0;
  for (const UsageField& field : UsageFields()) {
    const Json& group = field.is_tag ? report["extra_usage_tags"] : report;
    ASSERT_TRUE(group.contains(field.name)) << field.name;
    EXPECT_EQ(group[field.name], field.value(TwoModels())) << field.name;
    if (field.is_tag) {
      EXPECT_TRUE(group[field.name].is_string()) << field.name;
    }
    ++fields;
  }
  EXPECT_EQ(report.size() - 1 + report["extra_usage_tags"].size(), fields) << "and of nothing else";
}

TEST(UsageFields, SayOnePartPerModelInOneOrder) {
  const Json tags = MakeReport(TwoModels())["extra_usage_tags"];
  EXPECT_EQ(tags["llm_serve_models"], "Qwen2ForCausalLM,LlamaForCausalLM");
  EXPECT_EQ(tags["llm_serve_serve_multiple_models"], "1");
  EXPECT_EQ(tags["llm_serve_autoscaling_enabled_models"], "Qwen2ForCausalLM");
  EXPECT_EQ(tags["llm_serve_autoscaling_min_replicas"], "1,1");
  EXPECT_EQ(tags["llm_serve_autoscaling_max_replicas"], "2,1");
  EXPECT_EQ(tags["llm_serve_num_replicas"], "1,1");
  EXPECT_EQ(tags["llm_serve_gpu_type"], "A10G,UNSPECIFIED");
  EXPECT_EQ(tags["llm_serve_deploy_outcome"], "success,other");
  const Json engines = ParseJson(tags["llm_serve_engine_config"].get<std::string>()).value();
  ASSERT_EQ(engines.size(), 2u);
  EXPECT_EQ(engines[0]["max_model_len"], 512);
  EXPECT_EQ(engines[0]["max_num_seqs"], 7);
  EXPECT_EQ(engines[0]["accelerator_kind"], "cpu");
  for (const char* const name :
       {"quantization", "dtype", "max_model_len", "prefix_caching", "chunked_prefill",
        "kv_cache_dtype", "speculative_decoding", "enforce_eager", "pipeline_parallel",
        "accelerator_kind", "log_engine_metrics", "distributed_executor_backend", "load_format",
        "multimodal"}) {
    EXPECT_TRUE(engines[1].contains(name)) << name << ", which Ray reports";
  }
}

TEST(UsageFields, NameNoModelAndNoPath) {
  const std::string text = ReportText(MakeReport(TwoModels()));
  for (const char* const secret : {"secret-name", "other-name", "secret-path", "/home"}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
  }
}

TEST(UsageFields, RoundTheMemoryToWholeGigabytes) {
  EXPECT_EQ(MakeReport(TwoModels())["total_memory_gb"], 34);
}

}  // namespace
}  // namespace hearth::usage
