#include "firmware/config/box_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "firmware/config/box_config_doc.h"

namespace hearth::config {
namespace {

namespace fs = std::filesystem;

class BoxConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() /
                 ("hearth-box-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(directory_ / "conf.d");
    sources_.file = (directory_ / "hearth.yaml").string();
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text) {
    const fs::path path = directory_ / name;
    std::ofstream(path) << text;
    return path.string();
  }

  LoadedBoxConfig Load() const { return LoadBoxConfig(sources_); }

  // The only problem that a file of this text has.
  PlacedProblem ProblemOf(const std::string& text) {
    Write("hearth.yaml", text);
    const LoadedBoxConfig loaded = Load();
    EXPECT_EQ(loaded.problems.size(), 1u) << text;
    return loaded.problems.empty() ? PlacedProblem() : loaded.problems[0];
  }

  fs::path directory_;
  BoxConfigSources sources_;
};

TEST_F(BoxConfigTest, TakesHuggingFacesVariablesUnlessOursSayOtherwise) {
  Write("hearth.yaml", "hub: {endpoint: 'http://file', offline: true}\n");
  sources_.environment = {{"HF_ENDPOINT", "http://mirror"}, {"HF_HUB_OFFLINE", "0"}};
  LoadedBoxConfig loaded = Load();
  EXPECT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.hub.endpoint, "http://mirror");
  EXPECT_FALSE(loaded.config.hub.offline);
  EXPECT_EQ(loaded.Of("hub.endpoint").where, "HF_ENDPOINT");
  for (const char* yes : {"1", "ON", "yes", "True"}) {
    sources_.environment = {{"HF_HUB_OFFLINE", yes}};
    EXPECT_TRUE(Load().config.hub.offline) << yes;
  }
  sources_.environment = {{"HEARTH_HUB_ENDPOINT", "http://ours"}, {"HF_ENDPOINT", "http://mirror"}};
  loaded = Load();
  EXPECT_EQ(loaded.config.hub.endpoint, "http://ours");
  EXPECT_EQ(loaded.Of("hub.endpoint").where, "HEARTH_HUB_ENDPOINT");
}

TEST_F(BoxConfigTest, IsTheDefaultsWhereNothingIsWritten) {
  const LoadedBoxConfig loaded = Load();
  EXPECT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.listen.port, 8080);
  EXPECT_EQ(loaded.config.state_directory, "/var/lib/hearth");
  EXPECT_EQ(loaded.config.usage_stats.enabled, std::nullopt);
  EXPECT_EQ(loaded.settings.size(), SettingDefs().size());
  for (const Setting& setting : loaded.settings) {
    EXPECT_EQ(setting.source, Source::kDefault) << setting.path;
    EXPECT_EQ(setting.value, setting.default_value) << setting.path;
    EXPECT_FALSE(setting.locked()) << setting.path;
  }
  ASSERT_EQ(loaded.files.size(), 1u);
  EXPECT_FALSE(loaded.files[0].exists);
}

TEST_F(BoxConfigTest, ReadsEveryKindOfValueFromAFile) {
  Write("hearth.yaml", R"(
listen: {host: 0.0.0.0, port: 0}
memory_limit_bytes: 8000000000
metrics:
  views: [vllm, ray]
remote_write:
  url: http://prometheus:9090/api/v1/write
  labels: {site: a, rack: "7"}
  headers:
    X-Scope-OrgID: t1
recovery: {crashes_max: 3, within_s: 90.5}
usage_stats: {enabled: false}
)");
  const LoadedBoxConfig loaded = Load();
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].ToString();
  EXPECT_EQ(loaded.config.listen.host, "0.0.0.0");
  EXPECT_EQ(loaded.config.listen.port, 0);
  EXPECT_EQ(loaded.config.memory_limit_bytes, 8000000000);
  EXPECT_EQ(loaded.config.metrics.views, (std::vector<std::string>{"vllm", "ray"}));
  EXPECT_EQ(loaded.config.remote_write.labels.at("rack"), "7");
  EXPECT_EQ(loaded.config.remote_write.headers.at("X-Scope-OrgID"), "t1");
  EXPECT_EQ(loaded.config.recovery.within_s, 90.5);
  EXPECT_EQ(loaded.config.usage_stats.enabled, false);
  EXPECT_EQ(loaded.Of("recovery.within_s").where, sources_.file + ":11");
  EXPECT_EQ(loaded.Of("listen.port").where, sources_.file + ":2");
}

TEST_F(BoxConfigTest, LetsEachSourceWinOverTheOneBefore) {
  Write("hearth.yaml", "apply: {watch_s: 1, probe_timeout_s: 1, drain_timeout_s: 1, ready_timeout_s: 1}\n");
  Write("conf.d/20.yaml", "apply: {drain_timeout_s: 3, ready_timeout_s: 3}\n");
  Write("conf.d/10.yaml", "apply: {probe_timeout_s: 2, drain_timeout_s: 2}\n");
  Write("conf.d/30.yaml.dpkg-old", "apply: {watch_s: 9}\n");
  sources_.environment = {{"HEARTH_APPLY_READY_TIMEOUT_S", "4"}, {"HEARTH_LISTEN_PORT", "4"}};
  sources_.command_line = {{"listen.port", {"5"}, "--port"}};
  const LoadedBoxConfig loaded = Load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.apply.watch_s, 1);
  EXPECT_EQ(loaded.config.apply.probe_timeout_s, 2);
  EXPECT_EQ(loaded.config.apply.drain_timeout_s, 3);
  EXPECT_EQ(loaded.config.apply.ready_timeout_s, 4);
  EXPECT_EQ(loaded.config.listen.port, 5);
  EXPECT_EQ(loaded.Of("apply.watch_s").source, Source::kFile);
  EXPECT_EQ(loaded.Of("apply.probe_timeout_s").source, Source::kConfD);
  EXPECT_EQ(loaded.Of("apply.ready_timeout_s").source, Source::kEnvironment);
  EXPECT_EQ(loaded.Of("apply.ready_timeout_s").where, "HEARTH_APPLY_READY_TIMEOUT_S");
  EXPECT_EQ(loaded.Of("listen.port").source, Source::kCommandLine);
  EXPECT_EQ(loaded.Of("listen.port").where, "--port");
  const auto& lost = loaded.Of("apply.ready_timeout_s").overridden;
  ASSERT_EQ(lost.size(), 2u);
  EXPECT_EQ(lost[0].source, Source::kConfD);
  EXPECT_EQ(lost[0].value, 3);
  EXPECT_EQ(lost[1].source, Source::kFile);
}

TEST_F(BoxConfigTest, ReadsTextsOfTheEnvironmentByTheTypeOfTheSetting) {
  sources_.environment = {{"HEARTH_STATE_DIRECTORY", "0123"},
                          {"HEARTH_METRICS_VIEWS", "vllm, ray"},
                          {"HEARTH_REMOTE_WRITE_LABELS", "site=a:b,rack=7"},
                          {"HEARTH_USAGE_STATS_ENABLED", "0"},
                          {"HEARTH_HISTORY_COMMIT_INTERVAL_S", "2.5"}};
  sources_.command_line = {
      {"remote_write.headers", {"X-Tenant: a, b", "X-Other: c=d"}, "--remote-write-header"}};
  const LoadedBoxConfig loaded = Load();
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].ToString();
  EXPECT_EQ(loaded.config.state_directory, "0123");
  EXPECT_EQ(loaded.config.metrics.views, (std::vector<std::string>{"vllm", "ray"}));
  EXPECT_EQ(loaded.config.remote_write.labels.at("site"), "a:b");
  EXPECT_EQ(loaded.config.remote_write.labels.at("rack"), "7");
  EXPECT_EQ(loaded.config.remote_write.headers.at("X-Tenant"), "a, b");
  EXPECT_EQ(loaded.config.remote_write.headers.at("X-Other"), "c=d");
  EXPECT_EQ(loaded.config.usage_stats.enabled, false);
  EXPECT_EQ(loaded.config.history.commit_interval_s, 2.5);
}

TEST_F(BoxConfigTest, SaysAllThatIsWrongEachWithItsPlace) {
  Write("hearth.yaml", "listen:\n  port: 99999\n  prot: 1\nhistory: 5\nmodel_config:\n  mode: weld\n");
  Write("conf.d/a.yaml", "recovery: {crashes_max: many}\n");
  Write("conf.d/b.yaml", "listen: [\n");
  sources_.environment = {{"HEARTH_APPLY_WATCH_S", "-1"}, {"HEARTH_USAGE_STATS_ENABLED", "perhaps"}};
  sources_.command_line = {{"memory_limit_bytes", {"8GB"}, "--memory-limit-bytes"}};
  const LoadedBoxConfig loaded = Load();
  EXPECT_FALSE(loaded.ok());
  std::set<std::string> places;
  for (const PlacedProblem& placed : loaded.problems) {
    EXPECT_EQ(placed.problem.severity, Severity::kError) << placed.ToString();
    places.insert(placed.where.substr(placed.where.rfind('/') + 1));
  }
  EXPECT_EQ(places, (std::set<std::string>{"hearth.yaml:2", "hearth.yaml:3", "hearth.yaml:4",
                                           "hearth.yaml:6", "a.yaml:1", "b.yaml:2",
                                           "HEARTH_APPLY_WATCH_S", "HEARTH_USAGE_STATS_ENABLED",
                                           "--memory-limit-bytes"}));
}

TEST_F(BoxConfigTest, NamesTheNearestKnownKeyOfAnUnknownOne) {
  const PlacedProblem placed = ProblemOf("listen: {prot: 1}\n");
  EXPECT_EQ(placed.problem.path, "listen.prot");
  EXPECT_EQ(placed.problem.nearest, "port");
}

TEST_F(BoxConfigTest, WarnsOfAVariableThatSetsNothing) {
  sources_.environment = {{"HEARTH_LISTEN_PROT", "1"}, {"PATH", "/bin"}};
  const LoadedBoxConfig loaded = Load();
  EXPECT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].problem.severity, Severity::kWarning);
  EXPECT_EQ(loaded.problems[0].problem.nearest, "HEARTH_LISTEN_PORT");
}

TEST_F(BoxConfigTest, TakesAnEmptyVariableForNone) {
  Write("hearth.yaml", "listen: {port: 1}\n");
  sources_.environment = {{"HEARTH_LISTEN_PORT", ""}, {"RAY_USAGE_STATS_ENABLED", ""}};
  const LoadedBoxConfig loaded = Load();
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.config.listen.port, 1);
}

TEST_F(BoxConfigTest, RefusesAnUnclearWordOnUsageData) {
  sources_.environment = {{"HEARTH_USAGE_STATS_ENABLED", "nope"},
                          {"RAY_USAGE_STATS_ENABLED", "off"}};
  EXPECT_EQ(Load().problems.size(), 2u);
  EXPECT_FALSE(Load().ok());
  sources_.environment = {{"HEARTH_USAGE_STATS_ENABLED", "0"}, {"RAY_USAGE_STATS_ENABLED", "0"}};
  EXPECT_TRUE(Load().problems.empty());
}

TEST_F(BoxConfigTest, NeedsAFileThatWasAskedFor) {
  sources_.file_required = true;
  const LoadedBoxConfig loaded = Load();
  EXPECT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.problems[0].where, sources_.file);
}

TEST_F(BoxConfigTest, NeedsAFileToPin) {
  const PlacedProblem placed = ProblemOf("model_config:\n  mode: pin\n");
  EXPECT_EQ(placed.problem.path, "model_config.mode");
  EXPECT_EQ(placed.where, sources_.file + ":2");
}

TEST_F(BoxConfigTest, ShowsNoSecret) {
  Write("hearth.yaml",
        "remote_write:\n  url: https://me:hush@host/w\n  headers: {X-Key: hush}\n"
        "alerting: {webhook_url: http://u:hush@host/}\n");
  sources_.environment = {{"HEARTH_REMOTE_WRITE_HEADERS", "X-Key: hush2"}};
  const LoadedBoxConfig loaded = Load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.remote_write.headers.at("X-Key"), "hush2");
  EXPECT_EQ(loaded.config.remote_write.url, "https://me:hush@host/w");
  for (const Setting& setting : loaded.settings) {
    EXPECT_EQ(setting.value.dump().find("hush"), std::string::npos) << setting.path;
    for (const Overridden& other : setting.overridden) {
      EXPECT_EQ(other.value.dump().find("hush"), std::string::npos) << setting.path;
    }
  }
  const PlacedProblem placed = ProblemOf("remote_write: {headers: 'X-Key: hush'}\n");
  EXPECT_EQ(placed.ToString().find("hush"), std::string::npos) << placed.ToString();
}

TEST_F(BoxConfigTest, KnowsAFileThatChangedSinceItWasRead) {
  Write("hearth.yaml", "listen: {port: 1}\n");
  const LoadedBoxConfig loaded = Load();
  ASSERT_EQ(loaded.files.size(), 1u);
  EXPECT_FALSE(HasChanged(loaded.files[0]));
  fs::last_write_time(sources_.file, fs::last_write_time(sources_.file) + std::chrono::seconds(1));
  EXPECT_TRUE(HasChanged(loaded.files[0]));
  fs::remove(sources_.file);
  EXPECT_TRUE(HasChanged(loaded.files[0]));
}

TEST_F(BoxConfigTest, GivesEverySettingAVariableAndAFlagOfItsOwn) {
  std::set<std::string> variables;
  std::set<std::string> flags;
  for (const SettingDef& def : SettingDefs()) {
    EXPECT_TRUE(variables.insert(def.variable).second) << def.variable;
    EXPECT_TRUE(flags.insert(def.flag).second) << def.flag;
    EXPECT_FALSE(def.help.empty()) << def.path;
    EXPECT_FALSE(def.allowed.empty()) << def.path;
  }
  EXPECT_TRUE(variables.contains("HEARTH_LISTEN_PORT"));
  for (const char* flag : {"--host", "--port", "--state", "--engine", "--history-commit-interval",
                           "--metrics-views", "--rules", "--alert-webhook", "--remote-write-url",
                           "--remote-write-label", "--remote-write-views", "--remote-write-header",
                           "--remote-write-username", "--remote-write-password-file",
                           "--remote-write-bearer-token-file"}) {
    EXPECT_TRUE(flags.contains(flag)) << flag;
  }
}

// With each comment sign taken off, the example says exactly the defaults.
TEST_F(BoxConfigTest, HasAnExampleThatIsTheDefaults) {
  const std::string example = ExampleBoxConfig();
  Write("hearth.yaml", example);
  EXPECT_TRUE(Load().ok());
  std::string uncommented;
  std::istringstream lines(example);
  for (std::string line; std::getline(lines, line);) {
    const bool is_prose = line.starts_with("# ") && !line.starts_with("#  ");
    if (line.size() > 1 && line[0] == '#' && !is_prose) line = line.substr(1);
    uncommented += line + "\n";
  }
  Write("hearth.yaml", uncommented);
  const LoadedBoxConfig loaded = Load();
  ASSERT_TRUE(loaded.ok()) << loaded.problems[0].ToString();
  for (const Setting& setting : loaded.settings) {
    EXPECT_EQ(setting.value, setting.default_value) << setting.path;
    const Source expected = setting.value.is_null() ? Source::kDefault : Source::kFile;
    EXPECT_EQ(setting.source, expected) << setting.path;
  }
}

// Every setting with values that are none of its own.
TEST_F(BoxConfigTest, RefusesEveryWrongValueByNameAndPlace) {
  const std::map<std::string, std::vector<std::string>> wrong = {
      {"integer", {"-1", "1.5", "many", "true", "[1]", "{a: 1}", "99999999999999999999"}},
      {"number", {"-1", "soon", "true", "[1]", "{a: 1}", ".inf", "1e99"}},
      {"boolean", {"2", "perhaps", "[true]", "yes"}},
      {"choice", {"other", "1", "[seed]"}},
      {"string", {"1", "true", "[a]", "{a: b}"}},
      {"list", {"a", "1", "[1]", "{a: b}", "[[a]]"}},
      {"map", {"secretly", "[a]", "{a: 1}", "{a: {b: c}}"}},
  };
  int refused = 0;
  for (const SettingDef& def : SettingDefs()) {
    ASSERT_TRUE(wrong.contains(def.type)) << def.path << " is of a new type: " << def.type;
    for (const std::string& text : wrong.at(def.type)) {
      const size_t dot = def.path.find('.');
      const std::string line = dot == std::string::npos
                                   ? def.path + ": " + text
                                   : def.path.substr(0, dot) + ":\n  " +
                                         def.path.substr(dot + 1) + ": " + text;
      const PlacedProblem placed = ProblemOf(line + "\n");
      EXPECT_EQ(placed.problem.path, def.path) << line;
      EXPECT_NE(placed.problem.message.find(def.path), std::string::npos) << line;
      EXPECT_EQ(placed.where, sources_.file + (dot == std::string::npos ? ":1" : ":2")) << line;
      EXPECT_TRUE(!def.secret || placed.ToString().find("secretly") == std::string::npos) << line;
      ++refused;
    }
  }
  EXPECT_GE(refused, 140);
}

TEST(BoxConfigDoc, NamesEverySettingWithItsFlag) {
  const std::string doc = BoxConfigDoc();
  for (const SettingDef& def : SettingDefs()) {
    EXPECT_NE(doc.find("| `" + def.path + "` | `" + def.flag + "` |"), std::string::npos)
        << def.path;
  }
}

TEST(BoxConfigExample, IsWhatThePackageShips) {
  std::ifstream file("packaging/hearth.yaml");
  const std::string shipped((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(shipped, ExampleBoxConfig())
      << "build/<preset>/bin/hearth-config-doc --example > packaging/hearth.yaml";
}

}  // namespace
}  // namespace hearth::config
