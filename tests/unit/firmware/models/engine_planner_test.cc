#include "firmware/models/engine_planner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace hearth::models {
namespace {

protocol::Load LoadOf(const std::string& model) {
  protocol::Load load;
  load.model = model;
  load.served_model_name = "m";
  return load;
}

TEST(EnginePlanner, TellsWhatTheDemoModelTakes) {
  const auto planned = PlanEngine(HEARTH_ENGINE, LoadOf("packaging/demo-model/model"), 60);
  ASSERT_TRUE(planned.ok()) << planned.status().ToString();
  EXPECT_EQ(planned->architecture, "Qwen2ForCausalLM");
  EXPECT_GT(planned->weight_bytes, planned->num_parameters);
  EXPECT_GT(planned->memory_free_bytes, 0);
}

TEST(EnginePlanner, PassesTheEnginesSentenceOn) {
  const auto planned = PlanEngine(HEARTH_ENGINE, LoadOf("/nonexistent/model"), 60);
  ASSERT_FALSE(planned.ok());
  EXPECT_EQ(planned.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(planned.status().message().find("/nonexistent/model"), std::string::npos);
}

TEST(EnginePlanner, GivesUpOnFilesThatNeverAnswer) {
  const std::string directory = testing::TempDir() + "/hearth_plan_fifo";
  std::filesystem::create_directories(directory);
  const std::string fifo = directory + "/tokenizer.json";
  std::filesystem::remove(fifo);
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const auto planned = PlanEngine(HEARTH_ENGINE, LoadOf(directory), 0.5);
  EXPECT_FALSE(planned.ok());
  std::filesystem::remove_all(directory);
}

TEST(EnginePlanner, SaysThatAnEngineIsMissing) {
  const auto planned = PlanEngine("/nonexistent/hearth-engine", LoadOf("m"), 5);
  ASSERT_FALSE(planned.ok());
  EXPECT_NE(planned.status().message().find("/nonexistent/hearth-engine"), std::string::npos);
}

TEST(EnginePlanner, SaysHowAnEngineEndedThatDied) {
  const auto planned = PlanEngine(SCRIPTED_ENGINE, LoadOf("dies-while-loading"), 60);
  ASSERT_FALSE(planned.ok());
  EXPECT_NE(planned.status().message().find("exited with status 3"), std::string::npos)
      << planned.status().message();
}

TEST(EnginePlanner, DoesNotWaitLongerThanItWasTold) {
  const auto planned = PlanEngine(SCRIPTED_ENGINE, LoadOf("never-ready"), 0.2);
  ASSERT_FALSE(planned.ok());
  EXPECT_EQ(planned.status().code(), StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace hearth::models
