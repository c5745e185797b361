#include "firmware/apply/served_models.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace hearth::apply {
namespace {

namespace fs = std::filesystem;
using Kind = Change::Kind;

ServedModel Model(const std::string& name, const std::string& directory = "/models/a") {
  ServedModel model;
  model.config.model_loading_config = {name, directory};
  model.directory = directory;
  model.options = ToModelOptions(model.config, directory);
  return model;
}

ServedModel With(ServedModel model, const std::function<void(config::LlmConfig&)>& edit) {
  edit(model.config);
  model.options = ToModelOptions(model.config, model.directory);
  return model;
}

std::vector<std::pair<std::string, Kind>> KindsOf(const std::vector<Change>& changes) {
  std::vector<std::pair<std::string, Kind>> kinds;
  for (const Change& change : changes) kinds.emplace_back(change.model_name, change.kind);
  return kinds;
}
using Kinds = std::vector<std::pair<std::string, Kind>>;

TEST(PlanChanges, AddsReplacesKeepsAndRemovesByName) {
  const auto longer = [](config::LlmConfig& c) { c.engine_kwargs.max_model_len = 512; };
  const std::vector<ServedModel> before = {Model("same"), Model("grows"), Model("goes")};
  const std::vector<ServedModel> after = {Model("new"), With(Model("grows"), longer), Model("same")};
  const auto changes = PlanChanges(before, after);
  EXPECT_EQ(KindsOf(changes), (Kinds{{"new", Kind::kAdd},
                                     {"grows", Kind::kReplace},
                                     {"same", Kind::kSame},
                                     {"goes", Kind::kRemove}}));
  EXPECT_EQ(changes[1].fields, std::vector<std::string>{"engine_kwargs.max_model_len"});
  EXPECT_FALSE(changes[0].before.has_value());
  EXPECT_FALSE(changes[3].after.has_value());
}

TEST(PlanChanges, StartsNoEngineForWhatOnlyTheFirmwareLooksAt) {
  const std::vector<std::function<void(config::LlmConfig&)>> live = {
      [](config::LlmConfig& c) { c.log_engine_metrics = false; },
      [](config::LlmConfig& c) { c.deployment_config.max_ongoing_requests = 3; },
      [](config::LlmConfig& c) { c.deployment_config.max_queued_requests = 3; },
      [](config::LlmConfig& c) { c.deployment_config.graceful_shutdown_timeout_s = 3; },
      [](config::LlmConfig& c) { c.experimental_configs.slo_ttft_ms = 100; },
  };
  for (size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(KindsOf(PlanChanges({Model("m")}, {With(Model("m"), live[i])})),
              (Kinds{{"m", Kind::kLive}}))
        << i;
  }
}

TEST(PlanChanges, StartsAnEngineForWhatAnEngineIsToldAtItsStart) {
  const std::vector<std::function<void(config::LlmConfig&)>> loads = {
      [](config::LlmConfig& c) { c.engine_kwargs.max_num_seqs = 3; },
      [](config::LlmConfig& c) { c.engine_kwargs.max_num_batched_tokens = 512; },
      [](config::LlmConfig& c) { c.engine_kwargs.kv_cache_memory_bytes = 1 << 20; },
      [](config::LlmConfig& c) { c.engine_kwargs.dtype = "float32"; },
      [](config::LlmConfig& c) { c.engine_kwargs.enable_prefix_caching = false; },
      [](config::LlmConfig& c) { c.experimental_configs.cpu_threads = 2; },
  };
  for (size_t i = 0; i < loads.size(); ++i) {
    EXPECT_EQ(KindsOf(PlanChanges({Model("m")}, {With(Model("m"), loads[i])})),
              (Kinds{{"m", Kind::kReplace}}))
        << i;
  }
  EXPECT_EQ(KindsOf(PlanChanges({Model("m")}, {Model("m", "/models/b")})),
            (Kinds{{"m", Kind::kReplace}}));
}

TEST(PlanChanges, DoesNotTakeTheSizeThatWasChosenForAnEngineForAChange) {
  ServedModel serves = Model("m");
  serves.options.load.kv_cache_bytes = 1 << 20;
  EXPECT_EQ(KindsOf(PlanChanges({serves}, {Model("m")})), (Kinds{{"m", Kind::kSame}}));
}

TEST(PlanChanges, GoesBackByTheSameChangesReversed) {
  const auto longer = [](config::LlmConfig& c) { c.engine_kwargs.max_model_len = 512; };
  const auto back = Reversed(PlanChanges({Model("grows"), Model("goes")},
                                         {With(Model("grows"), longer), Model("new")}));
  EXPECT_EQ(KindsOf(back), (Kinds{{"grows", Kind::kReplace},
                                  {"new", Kind::kRemove},
                                  {"goes", Kind::kAdd}}));
  EXPECT_EQ(back[0].after->config.engine_kwargs.max_model_len, 0);
  EXPECT_EQ(back[0].before->config.engine_kwargs.max_model_len, 512);
}

class FindModelTest : public testing::Test {
 protected:
  FindModelTest() {
    std::string pattern = (fs::temp_directory_path() / "find-model-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~FindModelTest() override { fs::remove_all(root_); }

  std::string Make(const std::string& directory) {
    fs::create_directories(root_ / directory);
    std::ofstream(root_ / directory / "config.json") << "{}";
    return (root_ / directory).string();
  }

  fs::path root_;
};

TEST_F(FindModelTest, TakesAnAbsolutePathAsItIs) {
  const std::string directory = Make("anywhere");
  EXPECT_EQ(FindModel(directory, "/nowhere").value(), directory);
}

TEST_F(FindModelTest, LooksUnderTheModelsDirectoryAndInItsCacheLayout) {
  const std::string plain = Make("Qwen/small");
  const std::string snapshot = Make("models--Qwen--large/snapshots/abc");
  EXPECT_EQ(FindModel("Qwen/small", root_.string()).value(), plain);
  EXPECT_EQ(FindModel("Qwen/large", root_.string()).value(), snapshot);
}

TEST_F(FindModelTest, TakesTheSnapshotThatTheCacheCallsMain) {
  const std::string main = Make("models--Qwen--large/snapshots/abc");
  const std::string other = Make("models--Qwen--large/snapshots/def");
  const auto repository = root_ / "models--Qwen--large";
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(main, now - std::chrono::hours(1));
  fs::last_write_time(other, now);
  EXPECT_EQ(FindModel("Qwen/large", root_.string()).value(), other) << "the newest, without refs";
  fs::create_directories(repository / "refs");
  std::ofstream(repository / "refs" / "main") << "abc";
  EXPECT_EQ(FindModel("Qwen/large", root_.string()).value(), main);
  Make("secret");
  std::ofstream(repository / "refs" / "main") << "../../secret";
  EXPECT_EQ(FindModel("Qwen/large", root_.string()).value(), other);
}

TEST_F(FindModelTest, NamesEveryPlaceItLookedAt) {
  const Status status = FindModel("Qwen/none", root_.string()).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.message().find((root_ / "Qwen/none").string()), std::string::npos);
  EXPECT_NE(status.message().find("models--Qwen--none/snapshots"), std::string::npos);
}

TEST_F(FindModelTest, DoesNotLeaveTheModelsDirectory) {
  Make("secret");
  EXPECT_FALSE(FindModel("../" + root_.filename().string() + "/secret", root_.string()).ok());
}

}  // namespace
}  // namespace hearth::apply
