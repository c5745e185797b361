// What an engine plans is what it then takes, to the byte.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/unit/engine/worker/engine_process.h"

namespace hearth::engine {
namespace {

constexpr const char* kModelDir = "packaging/demo-model/model";

protocol::Load LoadOf(const std::string& model_dir) {
  protocol::Load load;
  load.model = model_dir;
  load.served_model_name = "planned";
  return load;
}

protocol::Planned Plan(protocol::Load load) {
  load.plan_only = true;
  EngineProcess engine;
  EXPECT_TRUE(engine.channel().Send(load).ok());
  const auto planned = engine.Next<protocol::Planned>();
  const int status = engine.WaitStatus();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return planned;
}

void ExpectPlannedIsReported(const protocol::Load& load) {
  const protocol::Planned planned = Plan(load);
  EngineProcess engine;
  ASSERT_TRUE(engine.channel().Send(load).ok());
  const auto ready = engine.Next<protocol::Ready>();
  EXPECT_EQ(planned.architecture, ready.architecture);
  EXPECT_EQ(planned.device, ready.device);
  EXPECT_EQ(planned.device_name, ready.device_name);
  EXPECT_EQ(planned.dtype, ready.dtype);
  EXPECT_EQ(planned.num_parameters, ready.num_parameters);
  EXPECT_EQ(planned.weight_bytes, ready.weight_bytes);
  EXPECT_EQ(planned.workspace_bytes, ready.workspace_bytes);
  EXPECT_EQ(planned.kv_bytes_per_token * ready.block_size * ready.num_blocks,
            ready.kv_cache_bytes);
  EXPECT_EQ(planned.max_model_len, ready.max_model_len);
  EXPECT_EQ(planned.max_num_seqs, ready.max_num_seqs);
  EXPECT_EQ(planned.block_size, ready.block_size);
  EXPECT_GT(planned.weight_bytes, planned.num_parameters);
  EXPECT_GT(planned.kv_bytes_per_token, 0);
  EXPECT_GT(planned.memory_free_bytes, 0);
  EXPECT_GE(planned.memory_total_bytes, planned.memory_free_bytes);
}

TEST(WorkerPlan, IsWhatIsThenReported) {
  ExpectPlannedIsReported(LoadOf(kModelDir));
}

TEST(WorkerPlan, IsWhatIsThenReportedWithOtherSettings) {
  protocol::Load load = LoadOf(kModelDir);
  load.dtype = "float32";
  load.max_model_len = 333;
  load.max_num_seqs = 3;
  load.max_num_batched_tokens = 100;
  load.num_threads = 1;
  load.kv_cache_bytes = int64_t{8} << 20;
  ExpectPlannedIsReported(load);
}

TEST(WorkerPlan, FailsWithTheSentenceOfALoadThatWouldFail) {
  protocol::Load load = LoadOf(kModelDir);
  load.max_model_len = 1'000'000;
  const auto failure = [&](bool plan_only) {
    load.plan_only = plan_only;
    EngineProcess engine;
    EXPECT_TRUE(engine.channel().Send(load).ok());
    return engine.Next<protocol::Failed>().message;
  };
  const std::string planned = failure(true);
  EXPECT_NE(planned.find("max_position_embeddings"), std::string::npos) << planned;
  EXPECT_EQ(planned, failure(false));
  load.model = "/nonexistent";
  EXPECT_EQ(failure(true), failure(false));
}

}  // namespace
}  // namespace hearth::engine
