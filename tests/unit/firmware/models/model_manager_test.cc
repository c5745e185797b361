#include "tests/unit/firmware/models/manager_fixture.h"

namespace hearth::models {
namespace {

using namespace std::chrono_literals;

TEST_F(ModelManagerTest, HandsARequestsEventsOverInOrder) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  auto ticket = Submit("hi");
  ASSERT_TRUE(ticket.ok()) << ticket.status().ToString();
  EXPECT_EQ(Expect<protocol::Accepted>(*ticket).num_prompt_tokens, 3);
  EXPECT_EQ(Expect<protocol::RequestDelta>(*ticket).text, "hello");
  EXPECT_EQ(Expect<protocol::FinishedRequest>(*ticket).finish_reason, "stop");
  EXPECT_TRUE(Exposes("vllm:generation_tokens_total{engine=\"0\",model_name=\"m\"} 1.0\n"));
}

TEST_F(ModelManagerTest, PassesARefusalOnWithItsCode) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  auto ticket = Submit("refuse");
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(Expect<protocol::Refused>(*ticket).code, "context_length_exceeded");
}

TEST_F(ModelManagerTest, AbortsWhatNobodyWaitsForAnyMore) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  {
    auto ticket = Submit("hold");
    ASSERT_TRUE(ticket.ok());
    Expect<protocol::Accepted>(*ticket);
  }
  const std::string aborted =
      "vllm:request_success_total{engine=\"0\",finished_reason=\"abort\",model_name=\"m\"} 1.0\n";
  Eventually([&] { return Exposes(aborted); });
  EXPECT_TRUE(Exposes(aborted));
  EXPECT_EQ(model().num_ongoing, 0);
}

TEST_F(ModelManagerTest, FailsWhatADeadEngineHeldAndServesTheNextRequest) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  auto held = Submit("hold");
  ASSERT_TRUE(held.ok());
  Expect<protocol::Accepted>(*held);
  Expect<protocol::RequestDelta>(*held);
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  EXPECT_NE(Expect<EngineGone>(*held).message.find("'m'"), std::string::npos);
  Eventually([&] { return status().restarts == 1 && status().state == ReplicaState::kReady; });
  auto next = Submit("hi");
  ASSERT_TRUE(next.ok()) << next.status().ToString();
  Expect<protocol::Accepted>(*next);
  Expect<protocol::RequestDelta>(*next);
  Expect<protocol::FinishedRequest>(*next);
  EXPECT_TRUE(Exposes("hearth_engine_restarts_total{model_name=\"m\"} 1.0\n"));
  EXPECT_TRUE(Exposes("finished_reason=\"error\",model_name=\"m\"} 1.0\n"));
}

TEST_F(ModelManagerTest, WaitsLongerBeforeEachFurtherRestart) {
  Serve("dies-on-requests");
  WaitFor(ReplicaState::kReady);
  auto ticket = Submit("hi");  // two engines end under it
  ASSERT_TRUE(ticket.ok()) << ticket.status().ToString();
  Expect<protocol::Accepted>(*ticket);
  Expect<Quarantined>(*ticket);
  const auto delayed = [&] { return status().message.find("again in 1 s") != std::string::npos; };
  Eventually(delayed);
  EXPECT_TRUE(delayed()) << status().message;
}

TEST_F(ModelManagerTest, DoesNotRestartAModelThatCannotBeLoaded) {
  Serve("cannot-be-loaded");
  WaitFor(ReplicaState::kFailed);
  EXPECT_EQ(status().message, "the file is broken");
  EXPECT_EQ(status().restarts, 0);
  const auto ticket = Submit("hi");
  ASSERT_FALSE(ticket.ok());
  EXPECT_EQ(ticket.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(ticket.status().message().find("the file is broken"), std::string::npos);
  EXPECT_TRUE(ExposesOnceSeen("hearth_model_state{model_name=\"m\",state=\"failed\"} 1.0\n"));
}

TEST_F(ModelManagerTest, RestartsAnEngineThatTalksRubbish) {
  Serve("talks-rubbish");
  Eventually([&] { return status().restarts >= 1; });
  EXPECT_GE(status().restarts, 1);
}

TEST_F(ModelManagerTest, NamesWhatIsServedWhenAModelIsUnknown) {
  Serve("answers");
  const auto ticket = Submit("hi", "other");
  ASSERT_FALSE(ticket.ok());
  EXPECT_EQ(ticket.status().code(), StatusCode::kNotFound);
  EXPECT_NE(ticket.status().message().find("'m'"), std::string::npos);
}

TEST_F(ModelManagerTest, EndsItsEngineWhenItStops) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  const pid_t pid = status().engine_pid;
  manager_.Stop();
  EXPECT_EQ(kill(pid, 0), -1) << "reaped";
  EXPECT_EQ(StateName(status().state), "stopped");
}

TEST_F(ModelManagerTest, UnloadsAndLoadsAgainWithCountersThatGoOn) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  const auto answer = [&] {
    auto ticket = Submit("hi");
    ASSERT_TRUE(ticket.ok()) << ticket.status().ToString();
    Expect<protocol::Accepted>(*ticket);
    Expect<protocol::RequestDelta>(*ticket);
    Expect<protocol::FinishedRequest>(*ticket);
  };
  answer();
  ASSERT_TRUE(manager_.Unload("m", 5).ok());
  EXPECT_EQ(StateName(status().state), "stopped");
  EXPECT_EQ(Submit("hi").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(Exposes("ray_serve_num_multiplexed_models{ReplicaId=\"default#LLMServer:m#0\""));
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  answer();
  EXPECT_TRUE(Exposes("vllm:generation_tokens_total{engine=\"0\",model_name=\"m\"} 2.0\n"));
  EXPECT_TRUE(Exposes("hearth_engine_restarts_total{model_name=\"m\"} 0.0\n"));
}

TEST_F(ModelManagerTest, DoesNotLoadAModelWhoseLastEngineStillEnds) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  ModelOptions again;
  again.load.model = "answers";
  again.load.served_model_name = "m";
  std::thread unload;
  {
    auto held = Submit("hold");
    ASSERT_TRUE(held.ok());
    Expect<protocol::Accepted>(*held);
    unload = std::thread([this] { EXPECT_TRUE(manager_.Unload("m", 20).ok()); });
    Eventually([&] { return !Submit("hi").ok(); });
    EXPECT_EQ(manager_.Serve(again).code(), StatusCode::kFailedPrecondition);
  }  // the request is aborted: nothing holds the engine any more
  unload.join();
  EXPECT_TRUE(manager_.Serve(again).ok());
  WaitFor(ReplicaState::kReady);
}

TEST_F(ModelManagerTest, RefusesAModelWithoutAName) {
  EXPECT_EQ(manager_.Serve({}).code(), StatusCode::kInvalidArgument);
}

TEST_F(ModelManagerTest, RefusesToServeOneNameTwice) {
  Serve("answers");
  ModelOptions options;
  options.load.served_model_name = "m";
  EXPECT_EQ(manager_.Serve(options).code(), StatusCode::kFailedPrecondition);
}

TEST_F(ModelManagerTest, SwitchesEngineMetricsOfAModelThatServes) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  EXPECT_TRUE(Exposes("\nvllm:num_requests_running{"));
  ASSERT_TRUE(manager_.SetLogEngineMetrics("m", false).ok());
  EXPECT_FALSE(Exposes("\nvllm:"));
  EXPECT_FALSE(Exposes("\nray_vllm"));
  EXPECT_TRUE(Exposes("\nhearth_log_engine_metrics{model_name=\"m\"} 0.0\n"));
  EXPECT_TRUE(Exposes("\nray_serve_deployment_request_counter_total{"));
  ASSERT_TRUE(manager_.SetLogEngineMetrics("m", true).ok());
  EXPECT_TRUE(Exposes("\nvllm:num_requests_running{"));
  EXPECT_EQ(manager_.SetLogEngineMetrics("x", true).code(), StatusCode::kNotFound);
}

TEST_F(ModelManagerTest, ReadsItsReplicasForTheService) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  auto held = Submit("hold");
  ASSERT_TRUE(held.ok());
  Expect<protocol::Accepted>(*held);
  manager_.Observe();
  EXPECT_TRUE(Exposes("ray_serve_num_scheduling_tasks{application=\"default\","
                      "deployment=\"LLMServer:m\",model_name=\"m\"} 0.0\n"));
  EXPECT_TRUE(Exposes("ray_serve_controller_num_control_loops 1.0\n"));
  EXPECT_TRUE(Exposes("deployment=\"LLMServer:m\",model_name=\"m\",replica=\"0\"} 1.0\n"));
}

TEST(ModelManager, SaysWhatIsWrongWithAMissingEngine) {
  metrics::Registry registry;
  metrics::RequestLedger ledger(&registry);
  ModelManager manager({.engine_executable = "/nonexistent/hearth-engine"}, &registry, &ledger);
  ModelOptions options;
  options.load.served_model_name = "m";
  ASSERT_TRUE(manager.Serve(options).ok());
  const double deadline_s = MonotonicSeconds() + 20;
  while (manager.Statuses().at(0).replica.state != ReplicaState::kFailed &&
         MonotonicSeconds() < deadline_s) {
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_NE(manager.Statuses().at(0).replica.message.find("/nonexistent/hearth-engine"),
            std::string::npos);
}

}  // namespace
}  // namespace hearth::models
