// An engine is exchanged under the requests of its model.
#include <future>

#include "tests/unit/firmware/models/manager_fixture.h"

namespace hearth::models {
namespace {

class ExchangeTest : public ModelManagerTest {
 protected:
  void ServeReady(const std::string& script) {
    Serve(script);
    WaitFor(ReplicaState::kReady);
  }

  bool Drained() {
    return Eventually([&] { return manager_.num_draining("m") == 0; });
  }

  // Submits in a thread of its own and waits until the request stands in line.
  std::future<std::string> SubmitIntoLine(const std::string& prompt) {
    const int before = model().num_waiting;
    auto answer =
        std::async(std::launch::async, [this, prompt] { return AnswerOf(Submit(prompt)); });
    EXPECT_TRUE(Eventually([&] { return model().num_waiting == before + 1; }));
    return answer;
  }
};

TEST_F(ExchangeTest, SwitchesNewRequestsOverAndLetsOldOnesFinish) {
  ServeReady("answers as A");
  const pid_t old_pid = status().engine_pid;
  {
    auto held = Submit("hold");
    ASSERT_TRUE(held.ok());
    Expect<protocol::Accepted>(*held);
    const auto candidate = Candidate("answers as B");
    EXPECT_EQ(AnswerOf(Submit("hi")), "A") << "a candidate gets no requests";
    ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), candidate).ok());
    EXPECT_EQ(AnswerOf(Submit("hi")), "B");
    EXPECT_EQ(manager_.num_draining("m"), 1);
    EXPECT_EQ(manager_.num_draining_requests("m"), 1);
    EXPECT_EQ(Expect<protocol::RequestDelta>(*held).text, "A");
    EXPECT_EQ(kill(old_pid, 0), 0) << "it has a request yet";
  }
  EXPECT_TRUE(Drained());
  EXPECT_EQ(kill(old_pid, 0), -1) << "gone and reaped";
  EXPECT_EQ(model().path, "answers as B");
}

TEST_F(ExchangeTest, EndsAnOldReplicaThatDoesNotFinishInTime) {
  ModelOptions options = Scripted("answers as A");
  options.graceful_shutdown_timeout_s = 0.05;
  ASSERT_TRUE(manager_.Serve(options).ok());
  WaitFor(ReplicaState::kReady);
  auto held = Submit("hold");
  ASSERT_TRUE(held.ok());
  Expect<protocol::Accepted>(*held);
  Expect<protocol::RequestDelta>(*held);
  ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), Candidate("answers as B")).ok());
  Expect<EngineGone>(*held);
  EXPECT_TRUE(Drained());
}

TEST_F(ExchangeTest, KillsAnOldEngineThatHangs) {
  ServeReady("answers as A");
  const pid_t old_pid = status().engine_pid;
  const auto candidate = Candidate("answers as B");
  ASSERT_EQ(kill(old_pid, SIGSTOP), 0);
  ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), candidate).ok());
  EXPECT_EQ(AnswerOf(Submit("hi")), "B");
  EXPECT_TRUE(Drained());
  EXPECT_EQ(kill(old_pid, 0), -1);
}

TEST_F(ExchangeTest, ServesANameThatIsNew) {
  ModelOptions other = Scripted("answers as C");
  other.load.served_model_name = "other";
  ServeReady("answers as A");
  auto candidate = manager_.StartCandidate(other);
  ASSERT_TRUE(candidate.ok());
  EXPECT_EQ(manager_.Statuses().size(), 1u);
  EXPECT_EQ(Submit("hi", "other").status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(Eventually([&] { return (*candidate)->status().state == ReplicaState::kReady; }));
  ASSERT_TRUE(manager_.SwitchTo(other, *candidate).ok());
  EXPECT_EQ(manager_.Statuses().size(), 2u);
  EXPECT_EQ(AnswerOf(Submit("hi", "other")), "C");
  EXPECT_EQ(AnswerOf(Submit("hi", "m")), "A");
}

TEST_F(ExchangeTest, RefusesACandidateThatDiedAfterItsProbe) {
  ServeReady("answers as A");
  const auto candidate = Candidate("answers as B");
  ASSERT_TRUE(manager_.Probe(*candidate, 20).ok());
  ASSERT_EQ(kill(candidate->status().engine_pid, SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] { return candidate->status().state == ReplicaState::kFailed; }));
  EXPECT_NE(candidate->status().message.find("killed by signal 9"), std::string::npos);
  const Status status = manager_.SwitchTo(Scripted("answers as B"), candidate);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("killed by signal 9"), std::string::npos) << status.message();
  EXPECT_EQ(AnswerOf(Submit("hi")), "A");
  EXPECT_EQ(candidate->status().restarts, 0);
}

TEST_F(ExchangeTest, RestartsAnEngineThatDiesAfterTheSwitch) {
  ServeReady("answers as A");
  const auto candidate = Candidate("answers as B");
  ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), candidate).ok());
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] { return status().restarts == 1; }));
  EXPECT_EQ(AnswerOf(Submit("hi")), "B") << "it waited for the restart";
}

TEST_F(ExchangeTest, MovesThoseWhoWaitForARestartToTheNewEngine) {
  ServeReady("dies-on-requests");
  auto poison = Submit("die");  // two engines end under it: the next restart is a second away
  ASSERT_TRUE(poison.ok());
  Expect<protocol::Accepted>(*poison);
  Expect<Quarantined>(*poison);
  const auto candidate = Candidate("answers as B");
  ASSERT_TRUE(Eventually([&] { return status().state == ReplicaState::kRestarting; }));
  auto answer = std::async(std::launch::async, [this] { return AnswerOf(Submit("hi")); });
  ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), candidate).ok());
  EXPECT_EQ(answer.get(), "B");
  EXPECT_TRUE(Drained());
}

// ---- The probe

TEST_F(ExchangeTest, ProbesWithARealGeneration) {
  const auto candidate = Candidate("answers as B");
  const auto answer = manager_.Probe(*candidate, 20);
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->text, "B");
  EXPECT_EQ(answer->num_tokens, 1);
  EXPECT_GT(answer->ttft_s, 0);
  EXPECT_GE(answer->duration_s, answer->ttft_s);
  EXPECT_FALSE(answer->prompt.empty());
}

TEST_F(ExchangeTest, ProbesAModelWithoutChatTemplateToo) {
  const auto answer = manager_.Probe(*Candidate("has-no-chat-template"), 20);
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->text, "hello");
}

TEST_F(ExchangeTest, SaysWhyAProbeFailed) {
  const auto nonsense = manager_.Probe(*Candidate("computes-nonsense"), 20);
  EXPECT_EQ(nonsense.status().code(), StatusCode::kInternal) << nonsense.status().ToString();
  const auto died = manager_.Probe(*Candidate("dies-on-requests"), 20);
  EXPECT_EQ(died.status().code(), StatusCode::kUnavailable) << died.status().ToString();
  const auto silent = Candidate("says-nothing");
  EXPECT_EQ(manager_.Probe(*silent, 0.2).status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(manager_.Probe(*silent, 20, [] { return true; }).status().code(),
            StatusCode::kAborted);
}

TEST_F(ExchangeTest, DropsACandidateThatNeverBecomesReady) {
  auto candidate = manager_.StartCandidate(Scripted("never-ready"));
  ASSERT_TRUE(candidate.ok());
  ASSERT_TRUE(Eventually([&] { return (*candidate)->status().engine_pid > 0; }));
  const pid_t pid = (*candidate)->status().engine_pid;
  EXPECT_EQ(manager_.SwitchTo(Scripted("never-ready"), *candidate).code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(manager_.Probe(**candidate, 1).status().code(), StatusCode::kFailedPrecondition);
  candidate->reset();
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(ExchangeTest, EndsACandidateThatIsStoppedWithTheManager) {
  const auto candidate = Candidate("answers");
  manager_.Stop();
  EXPECT_EQ(candidate->status().state, ReplicaState::kStopped);
  EXPECT_EQ(manager_.SwitchTo(Scripted("answers"), candidate).code(), StatusCode::kUnavailable);
  EXPECT_EQ(manager_.StartCandidate(Scripted("answers")).status().code(),
            StatusCode::kUnavailable);
}

// ---- Where both do not fit

TEST_F(ExchangeTest, LetsRequestsWaitWhileTheEngineIsExchanged) {
  ServeReady("answers as A");
  ASSERT_TRUE(manager_.Hold("m", 60).ok());
  auto first = SubmitIntoLine("hi");
  ASSERT_TRUE(manager_.StopReplicas("m", 5).ok());
  EXPECT_EQ(status().state, ReplicaState::kStopped);
  auto second = SubmitIntoLine("hi");
  EXPECT_TRUE(model().is_held);
  ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), Candidate("answers as B")).ok());
  ASSERT_TRUE(manager_.Release("m").ok());
  EXPECT_EQ(first.get(), "B");
  EXPECT_EQ(second.get(), "B");
  EXPECT_EQ(model().num_waiting, 0);
}

TEST_F(ExchangeTest, ServesAnewWhereTheExchangeLeftNothing) {
  ServeReady("answers as A");
  ASSERT_TRUE(manager_.Hold("m", 60).ok());
  ASSERT_TRUE(manager_.StopReplicas("m", 5).ok());
  auto waiting = SubmitIntoLine("hi");
  ASSERT_TRUE(manager_.ServeAnew(Scripted("answers as A")).ok());
  WaitFor(ReplicaState::kReady);
  ASSERT_TRUE(manager_.Release("m").ok());
  EXPECT_EQ(waiting.get(), "A");
}

TEST_F(ExchangeTest, RefusesWhatWaitedLongerThanAnnounced) {
  ServeReady("answers");
  ASSERT_TRUE(manager_.Hold("m", 0.05).ok());
  const auto ticket = Submit("hi");
  EXPECT_EQ(ticket.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(ticket.status().message().find("being exchanged"), std::string::npos);
  EXPECT_EQ(model().num_waiting, 0);
}

TEST_F(ExchangeTest, ForgetsARequestWhoseClientLeavesTheLine) {
  ServeReady("answers");
  ASSERT_TRUE(manager_.Hold("m", 60).ok());
  EXPECT_EQ(Submit("hi", "m", [] { return true; }).status().code(), StatusCode::kAborted);
  EXPECT_EQ(model().num_waiting, 0);
}

TEST_F(ExchangeTest, ServesOnWhenTheExchangeIsGivenUpInTime) {
  ServeReady("answers as A");
  const pid_t pid = status().engine_pid;
  auto held = Submit("hold");
  ASSERT_TRUE(held.ok());
  ASSERT_TRUE(manager_.Hold("m", 60).ok());
  EXPECT_EQ(manager_.StopReplicas("m", 60, [] { return true; }).code(), StatusCode::kAborted);
  ASSERT_TRUE(manager_.Release("m").ok());
  EXPECT_EQ(AnswerOf(Submit("hi")), "A");
  EXPECT_EQ(status().engine_pid, pid);
}

TEST_F(ExchangeTest, StopsNoEngineUnderRequestsThatAreNotHeld) {
  ServeReady("answers");
  EXPECT_EQ(manager_.StopReplicas("m", 1).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(manager_.Hold("x", 1).code(), StatusCode::kNotFound);
  EXPECT_EQ(AnswerOf(Submit("hi")), "hello");
}

TEST_F(ExchangeTest, TellsThoseInLineWhatBecameOfTheirModel) {
  ServeReady("answers");
  ASSERT_TRUE(manager_.Hold("m", 60).ok());
  auto unloaded = std::async(std::launch::async, [this] { return Submit("hi").status(); });
  ASSERT_TRUE(Eventually([&] { return model().num_waiting == 1; }));
  ASSERT_TRUE(manager_.Unload("m", 5).ok());
  EXPECT_EQ(unloaded.get().code(), StatusCode::kNotFound);
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  ASSERT_TRUE(manager_.Hold("m", 60).ok());
  auto stopped = std::async(std::launch::async, [this] { return Submit("hi").status(); });
  ASSERT_TRUE(Eventually([&] { return model().num_waiting == 1; }));
  manager_.Stop();
  EXPECT_EQ(stopped.get().code(), StatusCode::kUnavailable);
}

// ---- Limits

TEST_F(ExchangeTest, LetsRequestsBeyondMaxOngoingWaitInLine) {
  ModelOptions options = Scripted("answers");
  options.max_ongoing_requests = 1;
  options.max_queued_requests = 1;
  ASSERT_TRUE(manager_.Serve(options).ok());
  WaitFor(ReplicaState::kReady);
  std::future<std::string> waiting;
  {
    auto held = Submit("hold");
    ASSERT_TRUE(held.ok());
    Expect<protocol::Accepted>(*held);
    waiting = SubmitIntoLine("hi");
    const auto refused = Submit("hi");
    EXPECT_EQ(refused.status().code(), StatusCode::kUnavailable);
    EXPECT_NE(refused.status().message().find("max_queued_requests"), std::string::npos);
    EXPECT_EQ(model().num_ongoing, 1);
  }  // the one that ran is aborted
  EXPECT_EQ(waiting.get(), "hello");
}

TEST_F(ExchangeTest, RaisesALimitUnderThoseWhoWait) {
  ModelOptions options = Scripted("answers");
  options.max_ongoing_requests = 1;
  ASSERT_TRUE(manager_.Serve(options).ok());
  WaitFor(ReplicaState::kReady);
  const pid_t pid = status().engine_pid;
  auto held = Submit("hold");
  ASSERT_TRUE(held.ok());
  auto waiting = SubmitIntoLine("hi");
  options.max_ongoing_requests = 2;
  options.slo.ttft_s = 0.5;
  options.log_engine_metrics = false;
  ASSERT_TRUE(manager_.ApplyLive(options).ok());
  EXPECT_EQ(waiting.get(), "hello");
  EXPECT_EQ(status().engine_pid, pid);
  EXPECT_EQ(model().slo, options.slo);
  EXPECT_FALSE(Exposes("\nvllm:"));
  options.load.max_num_seqs = 1;
  EXPECT_EQ(manager_.ApplyLive(options).code(), StatusCode::kInvalidArgument);
}

TEST_F(ExchangeTest, ForgetsAModelThatWasRemovedUntilItComesAgain) {
  ServeReady("answers");
  auto held = Submit("hold");
  ASSERT_TRUE(held.ok());
  Expect<protocol::Accepted>(*held);
  ASSERT_TRUE(manager_.Remove("m").ok());
  EXPECT_TRUE(manager_.Statuses().empty());
  EXPECT_EQ(Submit("hi").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(manager_.Remove("m").code(), StatusCode::kNotFound);
  EXPECT_EQ(manager_.num_draining("m"), 1) << "it has a request yet";
  ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), Candidate("answers as B")).ok());
  EXPECT_EQ(AnswerOf(Submit("hi")), "B");
  EXPECT_EQ(manager_.num_draining("m"), 1);
  EXPECT_EQ(Expect<protocol::RequestDelta>(*held).text, "hello");
}

// ---- What is seen of it

TEST_F(ExchangeTest, ShowsNothingOfACandidateInTheSeriesOfWhatServes) {
  ServeReady("answers as A");
  const auto candidate = Candidate("answers as B");
  ASSERT_TRUE(manager_.Probe(*candidate, 20).ok());
  EXPECT_TRUE(Exposes("vllm:generation_tokens_total{engine=\"0\",model_name=\"m\"} 0.0\n"));
  EXPECT_TRUE(Exposes("vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 0.0\n"));
  EXPECT_TRUE(ExposesOnceSeen("hearth_model_state{model_name=\"m\",state=\"ready\"} 1.0\n"));
  candidate->Stop();
  EXPECT_TRUE(ExposesOnceSeen("hearth_model_state{model_name=\"m\",state=\"ready\"} 1.0\n"));
  EXPECT_TRUE(ExposesOnceSeen("hearth_model_state{model_name=\"m\",state=\"stopped\"} 0.0\n"));
}

TEST_F(ExchangeTest, CountsWhatADrainingReplicaDoesAndShowsTheGaugesOfTheNewOne) {
  ServeReady("answers as A");
  {
    auto held = Submit("hold");
    ASSERT_TRUE(held.ok());
    Expect<protocol::Accepted>(*held);
    Expect<protocol::RequestDelta>(*held);
    EXPECT_TRUE(Exposes("vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 1.0\n"));
    ASSERT_TRUE(manager_.SwitchTo(Scripted("answers as B"), Candidate("answers as B")).ok());
    EXPECT_TRUE(Exposes("vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 0.0\n"));
    EXPECT_TRUE(ExposesOnceSeen("\nhearth_model_info{"));
  }
  EXPECT_TRUE(Drained());
  EXPECT_TRUE(Exposes("finished_reason=\"abort\",model_name=\"m\"} 1.0\n"))
      << "what the old one ended was counted";
  EXPECT_TRUE(ExposesOnceSeen("hearth_model_state{model_name=\"m\",state=\"ready\"} 1.0\n"));
  EXPECT_TRUE(ExposesOnceSeen("\nhearth_model_info{")) << "the old one's end hides nothing of the new one";
  EXPECT_TRUE(Exposes("hearth_engine_restarts_total{model_name=\"m\"} 0.0\n"));
  EXPECT_EQ(AnswerOf(Submit("hi")), "B");
  EXPECT_TRUE(Exposes("vllm:generation_tokens_total{engine=\"0\",model_name=\"m\"} 2.0\n"));
}

}  // namespace
}  // namespace hearth::models
