#include "firmware/command_line.h"

#include <gtest/gtest.h>

#include "firmware/config/model_config.h"

namespace hearth {
namespace {

CommandLine Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "hearthd");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

std::vector<std::string> PlacesOf(const CommandLine& line) {
  std::vector<std::string> places;
  for (const config::PlacedProblem& placed : line.problems) places.push_back(placed.where);
  return places;
}

TEST(CommandLine, SaysNothingWhenItIsEmpty) {
  const CommandLine line = Parse({});
  EXPECT_EQ(line.exit_status, std::nullopt);
  EXPECT_TRUE(line.settings.empty());
  EXPECT_TRUE(line.models.empty());
  EXPECT_TRUE(line.problems.empty());
}

TEST(CommandLine, GivesEachSettingItsTextsAndItsFlag) {
  const CommandLine line = Parse({"--config", "/x.yaml", "--port", "1", "--apply-watch-s", "-2",
                                  "--remote-write-label", "a=1", "--remote-write-label", "b=2"});
  EXPECT_TRUE(line.problems.empty());
  EXPECT_EQ(line.config_file, "/x.yaml");
  ASSERT_EQ(line.settings.size(), 3u);
  EXPECT_EQ(line.settings[0].path, "listen.port");
  EXPECT_EQ(line.settings[0].where, "--port");
  EXPECT_EQ(line.settings[1].texts, (std::vector<std::string>{"-2"}));
  EXPECT_EQ(line.settings[2].texts, (std::vector<std::string>{"a=1", "b=2"}));
}

TEST(CommandLine, MakesItsModelsAModelConfiguration) {
  const CommandLine line = Parse(
      {"--model", "/models/a", "--model", "/models/b/", "--served-model-name", "first",
       "--max-num-seqs", "8", "--max-model-len", "0", "--dtype", "float32",
       "--enable-prefix-caching", "off", "--threads", "2", "--slo-ttft-ms", "0",
       "--log-engine-metrics", "false"});
  ASSERT_TRUE(line.problems.empty()) << line.problems[0].ToString();
  const config::CheckedModelConfig checked = config::CheckModelConfig(line.models, {});
  ASSERT_TRUE(checked.ok());
  ASSERT_EQ(checked.llm_configs.size(), 2u);
  EXPECT_EQ(checked.llm_configs[0].model_loading_config.model_id, "first");
  EXPECT_EQ(checked.llm_configs[0].model_loading_config.model_source, "/models/a");
  EXPECT_EQ(checked.llm_configs[1].model_loading_config.model_id, "b");
  for (const config::LlmConfig& model : checked.llm_configs) {
    EXPECT_EQ(model.engine_kwargs.max_num_seqs, 8);
    EXPECT_EQ(model.engine_kwargs.max_model_len, 0);
    EXPECT_EQ(model.engine_kwargs.dtype, "float32");
    EXPECT_FALSE(model.engine_kwargs.enable_prefix_caching);
    EXPECT_EQ(model.experimental_configs.cpu_threads, 2);
    EXPECT_EQ(model.experimental_configs.slo_ttft_ms, 0);
    EXPECT_EQ(model.experimental_configs.slo_tpot_ms, 200);
    EXPECT_FALSE(model.log_engine_metrics);
  }
}

TEST(CommandLine, TakesADirectoryFromWhereItWasStarted) {
  const CommandLine line = Parse({"--model", "packaging"});
  const config::CheckedModelConfig checked = config::CheckModelConfig(line.models, {});
  ASSERT_EQ(checked.llm_configs.size(), 1u);
  const std::string& source = checked.llm_configs[0].model_loading_config.model_source;
  EXPECT_EQ(source[0], '/');
  EXPECT_TRUE(source.ends_with("/packaging")) << source;
}

TEST(CommandLine, SaysOnceWhatIsWrongWithAFlagOfAllModels) {
  const CommandLine line = Parse({"--model", "/a", "--model", "/b", "--dtype", "int3",
                                  "--max-num-seqs", "many"});
  EXPECT_EQ(PlacesOf(line), (std::vector<std::string>{"--max-num-seqs", "--dtype"}));
}

TEST(CommandLine, RefusesModelFlagsWithoutAModelAndNamesWithoutOne) {
  EXPECT_EQ(PlacesOf(Parse({"--dtype", "auto"})), (std::vector<std::string>{"--dtype"}));
  EXPECT_EQ(PlacesOf(Parse({"--model", "/a", "--served-model-name", "x", "y"})),
            (std::vector<std::string>{"--served-model-name"}));
}

TEST(CommandLine, NamesTheFlagThatAnUnknownOneMayHaveMeant) {
  const CommandLine line = Parse({"--prot", "8080", "--nothing-like-it"});
  ASSERT_EQ(PlacesOf(line), (std::vector<std::string>{"--prot", "--nothing-like-it"}));
  EXPECT_NE(line.problems[0].problem.message.find("did you mean --port?"), std::string::npos);
  EXPECT_EQ(line.problems[1].problem.message.find("did you mean"), std::string::npos);
}

TEST(CommandLine, RefusesAFlagWithoutItsValue) {
  EXPECT_EQ(Parse({"--port"}).problems.size(), 1u);
}

TEST(CommandLine, EndsAfterHelpAndVersion) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Parse({"--version"}).exit_status, 0);
  EXPECT_EQ(Parse({"--help"}).exit_status, 0);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  for (const config::SettingDef& def : config::SettingDefs()) {
    EXPECT_NE(printed.find(def.flag), std::string::npos) << def.flag;
  }
}

}  // namespace
}  // namespace hearth
