#include "firmware/usage_facts.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

using models::ReplicaState;

apply::ServedModel Served(const std::string& name) {
  apply::ServedModel served;
  served.config.model_loading_config.model_id = name;
  return served;
}

models::ModelStatus StatusOf(const std::string& name, ReplicaState state) {
  models::ModelStatus status;
  status.model_name = name;
  status.replica.state = state;
  status.replica.message = "/home/ann/model cannot be read";
  if (state != ReplicaState::kReady) return status;
  status.replica.ready.architecture = "Qwen2ForCausalLM";
  status.replica.ready.device = "cpu";
  status.replica.ready.max_model_len = 512;
  return status;
}

TEST(CollectUsage, JoinsWhatIsConfiguredWithWhatRuns) {
  const auto facts = CollectUsage({Served("a"), Served("b"), Served("c")},
                                  {StatusOf("gone", ReplicaState::kReady),
                                   StatusOf("b", ReplicaState::kFailed),
                                   StatusOf("a", ReplicaState::kReady)},
                                  std::nullopt, {"NVIDIA A10G"});
  ASSERT_EQ(facts.models.size(), 3u) << "in the order of the configuration, without others";
  EXPECT_EQ(facts.models[0].architecture, "Qwen2ForCausalLM");
  EXPECT_EQ(facts.models[0].max_model_len, 512);
  EXPECT_EQ(facts.models[0].outcome, "success");
  EXPECT_EQ(facts.models[1].outcome, "other");
  EXPECT_EQ(facts.models[2].outcome, "other") << "nothing is known of it";
  EXPECT_TRUE(facts.settled);
  EXPECT_EQ(facts.gpus.size(), 1u);
  EXPECT_GT(facts.num_cpus, 0);
  EXPECT_GT(facts.memory_bytes, 0);
  EXPECT_EQ(usage::ReportText(usage::MakeReport(facts)).find("/home"), std::string::npos)
      << "the text of an error stays here";
}

TEST(CollectUsage, WaitsForModelsThatLoad) {
  const auto facts =
      CollectUsage({Served("a")}, {StatusOf("a", ReplicaState::kLoading)}, std::nullopt, {});
  EXPECT_FALSE(facts.settled);
  EXPECT_EQ(facts.models[0].outcome, "starting");
}

TEST(CollectUsage, TellsTheClassOfTheLastApplyOnceItHasEnded) {
  const auto outcome = [](const apply::ApplyStatus& status) {
    return CollectUsage({}, {}, status, {}).apply_outcome;
  };
  apply::ApplyStatus status;
  status.state = "watching";
  EXPECT_EQ(outcome(status), "");
  status.ended_ms = 5;
  status.state = "confirmed";
  EXPECT_EQ(outcome(status), "confirmed");
  status.state = "returned";
  status.reason = "does_not_fit";
  status.message = "/home/ann needs more";
  EXPECT_EQ(outcome(status), "does_not_fit");
}

}  // namespace
}  // namespace hearth
