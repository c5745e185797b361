#include "firmware/appliance_options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr char kModels[] =
    "# ours\nllm_configs:\n  - model_loading_config: {model_id: m, model_source: /models/m}\n";

class ApplianceOptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() /
                 ("hearth-options-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(directory_);
    sources_.file = (directory_ / "hearth.yaml").string();
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text) {
    const fs::path path = directory_ / name;
    std::ofstream(path) << text;
    return path.string();
  }

  ApplianceOptions Make(const std::string& text) {
    Write("hearth.yaml", text);
    const config::LoadedBoxConfig loaded = config::LoadBoxConfig(sources_);
    problems_ = loaded.problems;
    return MakeApplianceOptions(loaded, line_, problems_);
  }

  fs::path directory_;
  config::BoxConfigSources sources_;
  CommandLine line_;
  std::vector<config::PlacedProblem> problems_;
};

TEST_F(ApplianceOptionsTest, FillInWhatDependsOnOtherSettings) {
  const ApplianceOptions options = Make("state_directory: /var/x\n");
  EXPECT_TRUE(problems_.empty());
  EXPECT_EQ(options.models_directory, "/var/x/models");
  EXPECT_TRUE(options.engine_executable.ends_with("/hearth-engine"));
  EXPECT_FALSE(options.rule_groups.empty()) << "the shipped rules";
  EXPECT_TRUE(options.seed.document.empty());
  EXPECT_EQ(options.settings.settings.size(), config::SettingDefs().size());
}

TEST_F(ApplianceOptionsTest, TakeUsageDataAndWhoSaidIt) {
  const ApplianceOptions options =
      Make("usage_stats:\n  enabled: false\n  url: https://host/u\n  interval_s: 5\n");
  EXPECT_TRUE(problems_.empty());
  EXPECT_EQ(options.usage_stats.enabled, false);
  EXPECT_EQ(options.usage_stats.interval_s, 5);
  EXPECT_EQ(options.usage_stats_where, sources_.file + ":2");
  EXPECT_EQ(Make("").usage_stats_where, "");
  Make("usage_stats: {url: ftp://host}\n");
  ASSERT_EQ(problems_.size(), 1u);
  EXPECT_EQ(problems_[0].problem.path, "usage_stats.url");
}

TEST_F(ApplianceOptionsTest, TakeEverythingOfRemoteWrite) {
  const ApplianceOptions options = Make(
      "remote_write:\n  url: http://host/w\n  labels: {site: a}\n  headers: {X-A: b}\n"
      "  views: [hearth]\n  username: u\n  password_file: /p\n");
  EXPECT_TRUE(problems_.empty());
  EXPECT_EQ(options.remote_write.url, "http://host/w");
  EXPECT_EQ(options.remote_write.external_labels.Get("site"), "a");
  EXPECT_EQ(options.remote_write.headers, (std::vector<std::string>{"X-A: b"}));
  EXPECT_TRUE(options.remote_write.views.Has(metrics::View::kHearth));
  EXPECT_FALSE(options.remote_write.views.Has(metrics::View::kVllm));
}

TEST_F(ApplianceOptionsTest, SeedOrPinTheModelsOfAFileAsItStands) {
  const std::string file = Write("models.yaml", kModels);
  ApplianceOptions options = Make("model_config: {file: " + file + "}\n");
  EXPECT_TRUE(problems_.empty());
  EXPECT_EQ(options.seed.document, kModels) << "comments too";
  EXPECT_EQ(options.seed.source, file);
  EXPECT_FALSE(options.seed.pinned);
  options = Make("model_config: {mode: pin, file: " + file + "}\n");
  EXPECT_TRUE(options.seed.pinned);
}

TEST_F(ApplianceOptionsTest, LetModelsOfTheCommandLineWinOverAFile) {
  const char* arguments[] = {"hearthd", "--model", "/models/other"};
  line_ = ParseCommandLine(3, arguments);
  const ApplianceOptions options =
      Make("model_config: {mode: pin, file: " + Write("models.yaml", kModels) + "}\n");
  EXPECT_EQ(options.seed.document, line_.models);
  EXPECT_EQ(options.seed.source, "the command line");
  EXPECT_FALSE(options.seed.pinned);
}

TEST_F(ApplianceOptionsTest, SayAllThatThePartsRefuseWithItsPlace) {
  Make(
      "metrics: {views: [vlm]}\n"
      "rules: {files: [/nonexistent/rules.yml]}\n"
      "alerting: {webhook_url: host:9093}\n"
      "remote_write:\n"
      "  url: ftp://host\n"
      "  labels: {__name__: x}\n"
      "model_config: {file: /nonexistent/models.yaml}\n");
  std::set<std::string> places;
  for (const config::PlacedProblem& placed : problems_) {
    places.insert(placed.where.substr(placed.where.rfind(':') + 1));
    EXPECT_TRUE(placed.problem.message.starts_with(placed.problem.path)) << placed.ToString();
  }
  EXPECT_EQ(places, (std::set<std::string>{"1", "2", "3", "5", "6", "7"}));
}

}  // namespace
}  // namespace hearth
