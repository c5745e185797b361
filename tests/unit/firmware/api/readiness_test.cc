#include "firmware/api/model_json.h"
#include "firmware/api/readiness.h"

#include <gtest/gtest.h>

namespace hearth::api {
namespace {

using models::ModelStatus;
using models::ReplicaState;

ModelStatus Model(const std::string& name, ReplicaState state, bool seems_stalled = false) {
  ModelStatus model;
  model.model_name = name;
  model.replica.state = state;
  model.replica.engine_pid = 1;
  model.replica.seems_stalled = seems_stalled;
  return model;
}

TEST(Readiness, IsReadyWhenEveryModelServesAndGetsOn) {
  const Readiness readiness = ReadinessOf({Model("a", ReplicaState::kReady)}, "");
  EXPECT_TRUE(readiness.is_ready);
  EXPECT_EQ(DumpJson(ToJson(readiness)), R"({"status":"ready","reason":"","models":{"a":"ready"}})");
  EXPECT_TRUE(ReadinessOf({}, "").is_ready) << "a box without models answers what it is asked";
}

TEST(Readiness, NamesTheGravestReason) {
  EXPECT_EQ(ReadinessOf({Model("a", ReplicaState::kLoading)}, "").reason, "loading");
  EXPECT_EQ(ReadinessOf({Model("a", ReplicaState::kDegraded), Model("b", ReplicaState::kLoading)}, "")
                .reason,
            "degraded");
  EXPECT_EQ(ReadinessOf({Model("a", ReplicaState::kRestarting)}, "").reason, "restarting");
  EXPECT_EQ(ReadinessOf({Model("a", ReplicaState::kReady, true)}, "").reason, "stalled");
  EXPECT_EQ(ReadinessOf({Model("a", ReplicaState::kFailed), Model("b", ReplicaState::kReady)}, "")
                .reason,
            "failed");
  EXPECT_EQ(ReadinessOf({Model("a", ReplicaState::kFailed)}, "it crashed").reason, "recovery");
}

TEST(Readiness, LeavesModelsOutThatWereUnloaded) {
  EXPECT_TRUE(ReadinessOf({Model("a", ReplicaState::kStopped)}, "").is_ready);
}

TEST(Readiness, CountsAModelThatSleepsAsReady) {
  ModelStatus model = Model("a", ReplicaState::kLoading);
  model.is_asleep = true;
  EXPECT_TRUE(ReadinessOf({model}, "").is_ready);
}

TEST(Readiness, ShowsACrashAsJson) {
  EXPECT_TRUE(CrashJson(std::nullopt).is_null());
  const models::CrashRecord crash{5, 1, "was killed", "in step 2", {"x"}, 3, 4, true};
  EXPECT_EQ(DumpJson(CrashJson(crash)),
            R"({"time_ms":5,"replica":1,"how":"was killed","where":"in step 2","log":["x"],)"
            R"("requests_failed":3,"requests_requeued":4,"safe_mode":true})");
}

}  // namespace
}  // namespace hearth::api
