// Every way an engine can go, and what its requests see of it.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "firmware/models/engine_log.h"
#include "tests/unit/firmware/models/manager_fixture.h"

namespace hearth::models {
namespace {

using namespace std::chrono_literals;

// ---- What requests see
// ------------------------------------------------------------------------------

class CrashTest : public ModelManagerTest {
 protected:
  CrashTest() { std::filesystem::create_directories(directory_); }
  ~CrashTest() override { std::filesystem::remove_all(directory_); }

  // A script whose lives leave marks for each other.
  std::string WithMarks(const std::string& script) { return (directory_ / script).string(); }

  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() /
      ("hearth-replica-" + std::to_string(getpid()) + "-" +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(CrashTest, AsksAgainWhatHadNoTokenYet) {
  Serve(WithMarks("dies-once"));
  WaitFor(ReplicaState::kReady);
  auto ticket = Submit("hi");
  ASSERT_TRUE(ticket.ok()) << ticket.status().ToString();
  EXPECT_EQ(Expect<protocol::Accepted>(*ticket).num_prompt_tokens, 3);
  EXPECT_EQ(Expect<protocol::RequestDelta>(*ticket).text, "hello") << "of the second engine";
  EXPECT_EQ(Expect<protocol::FinishedRequest>(*ticket).finish_reason, "stop");
  EXPECT_EQ(status().restarts, 1);
  ASSERT_TRUE(status().last_crash.has_value());
  EXPECT_EQ(status().last_crash->how, "exited with status 6");
  EXPECT_EQ(status().last_crash->requests_requeued, 1);
  EXPECT_EQ(status().last_crash->requests_failed, 0);
  EXPECT_FALSE(status().last_crash->safe_mode);
  EXPECT_TRUE(Exposes("hearth_requests_requeued_total{model_name=\"m\"} 1.0\n"));
  EXPECT_TRUE(Exposes("hearth_engine_crashes_total{model_name=\"m\",reason=\"exited\"} 1.0\n"));
  EXPECT_TRUE(Exposes("finished_reason=\"stop\",model_name=\"m\"} 1.0\n")) << "it counts once";
  EXPECT_TRUE(Exposes("finished_reason=\"error\",model_name=\"m\"} 0.0\n"));
}

TEST_F(CrashTest, EndsWhatHadATokenAndSaysWhen) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  auto held = Submit("hold");
  auto waiting = Submit("wait");
  ASSERT_TRUE(held.ok() && waiting.ok());
  Expect<protocol::Accepted>(*held);
  Expect<protocol::RequestDelta>(*held);
  Expect<protocol::Accepted>(*waiting);
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  const EngineGone gone = Expect<EngineGone>(*held);
  EXPECT_GE(gone.retry_after_s, 1);
  EXPECT_NE(gone.crash_id, 0u);
  EXPECT_EQ(waiting->Next(0s), std::nullopt) << "it is placed again";
  EXPECT_TRUE(Eventually([&] { return status().state == ReplicaState::kReady; }));
  EXPECT_EQ(status().last_crash->how, "was killed by signal 9 (Killed)");
  EXPECT_EQ(status().last_crash->requests_failed, 1);
  EXPECT_EQ(status().last_crash->requests_requeued, 1);
  EXPECT_TRUE(Exposes("hearth_engine_crashes_total{model_name=\"m\",reason=\"killed\"} 1.0\n"));
}

TEST_F(CrashTest, AsksAgainOnlyOnce) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  auto ticket = Submit("wait");
  ASSERT_TRUE(ticket.ok());
  Expect<protocol::Accepted>(*ticket);
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  EXPECT_EQ(ticket->Next(0s), std::nullopt);
  ASSERT_TRUE(Eventually([&] {
    (void)ticket->Next(1ms);  // places it
    return status().restarts == 1 && model().num_ongoing == 1;
  }));
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  Expect<EngineGone>(*ticket);  // not in a batch, hence no suspect
  EXPECT_TRUE(manager_.quarantine().empty());
}

TEST_F(CrashTest, PutsARequestAwayThatTwoEnginesDiedOf) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  auto poison = Submit("die");
  ASSERT_TRUE(poison.ok());
  Expect<protocol::Accepted>(*poison);
  EXPECT_NE(Expect<Quarantined>(*poison).message.find("twice"), std::string::npos);
  EXPECT_EQ(Submit("die").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(AnswerOf(Submit("hi")), "hello") << "others are served";
  EXPECT_EQ(status().restarts, 2) << "and no third engine dies of it";
  EXPECT_TRUE(Exposes("hearth_requests_quarantined_total{model_name=\"m\"} 2.0\n"));
  EXPECT_EQ(manager_.quarantine().TakeNews(), std::vector<std::string>{"m"});
}

TEST_F(CrashTest, GivesUpForAClientThatLeftWhileTheEngineWasStartedAgain) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  std::atomic<bool> left = false;
  auto ticket = Submit("wait", "m", [&] { return left.load(); });
  ASSERT_TRUE(ticket.ok());
  Expect<protocol::Accepted>(*ticket);
  ASSERT_TRUE(manager_.Hold("m", 60).ok());  // the line stands still
  left = true;
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  Expect<EngineGone>(*ticket);
}

TEST_F(CrashTest, KeepsWhatTheEngineSaid) {
  ModelOptions options = Scripted("talks");
  options.load.served_model_name = "talker";
  ASSERT_TRUE(manager_.Serve(options).ok());
  WaitFor(ReplicaState::kReady);
  const auto last = [] {
    const auto lines = EngineLog::Of("talker").Tail(1);
    return lines.empty() ? "" : lines[0].text;
  };
  ASSERT_TRUE(Eventually([&] { return last().starts_with("line 599"); }));
  EXPECT_EQ(EngineLog::Of("talker").Tail(1000).size(), EngineLog::kLinesMax);
  EXPECT_TRUE(last().ends_with("yyy..."));
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] { return status().last_crash.has_value(); }));
  ASSERT_EQ(status().last_crash->log.size(), 20u);
  EXPECT_EQ(status().last_crash->log.front(), "line 580");
}

TEST_F(CrashTest, LoadsAgainWhatRanOutOfMemoryWhenItWasStartedAgain) {
  Serve(WithMarks("runs-out-of-memory-once"));
  WaitFor(ReplicaState::kReady);
  ASSERT_EQ(kill(status().engine_pid, SIGKILL), 0);
  ASSERT_TRUE(Eventually([&] {
    return status().restarts == 2 && status().state == ReplicaState::kReady;
  })) << status().message;
  EXPECT_NE(status().last_crash->how.find("8 MiB are needed"), std::string::npos);
  EXPECT_TRUE(Exposes("{model_name=\"m\",reason=\"out_of_memory\"} 1.0\n"));
}

// ---- One replica, with limits that tests can wait for
// -----------------------------------------------

class ReplicaTest : public ::testing::Test {
 protected:
  ReplicaTest() {
    options_.index = 3;
    options_.crash.back_off_max_s = 0;
    options_.stall.serving_s = 0.5;
    options_.stall.loading_s = 0.5;
    options_.stall.look_every_s = 0.02;
  }

  Replica& Start(const std::string& script) {
    protocol::Load load;
    load.model = script;
    load.served_model_name = "m";
    replica_ = std::make_unique<Replica>(
        SCRIPTED_ENGINE, load,
        std::make_unique<metrics::EngineObserver>(&registry_, &slo_, "m", "3"), nullptr, options_);
    return *replica_;
  }

  bool WaitFor(ReplicaState state, int restarts) {
    return Eventually([&] {
      const ReplicaStatus status = replica_->status();
      return status.state == state && status.restarts >= restarts;
    });
  }

  // Gives it a request, as a deployment does.
  std::shared_ptr<TokenStream> Ask(const std::string& prompt) {
    protocol::Generate generate;
    generate.prompt = prompt;
    generate.request_id = ++last_request_id_;
    auto taken = replica_->Take(generate.request_id, {}, 100);
    EXPECT_EQ(taken.outcome, Replica::Outcome::kTaken) << taken.why.ToString();
    EXPECT_TRUE(taken.stream != nullptr && replica_->Send(taken, generate));
    return taken.stream;
  }

  template <typename T>
  static T Next(TokenStream& stream) {
    const auto event = stream.Next(20s);
    EXPECT_TRUE(event && std::holds_alternative<T>(*event))
        << (event ? "another event: " + std::to_string(event->index()) : "no event");
    return event && std::holds_alternative<T>(*event) ? std::get<T>(*event) : T{};
  }

  bool Exposes(const std::string& line) {
    metrics::Exposition exposition;
    return exposition
               .Render(registry_.TakeSnapshot(), metrics::Format::kText, metrics::ViewSet::All())
               .find(line) != std::string::npos;
  }

  ReplicaOptions options_;
  metrics::Registry registry_;
  metrics::SloJudge slo_{&registry_, "m"};
  uint64_t last_request_id_ = 0;
  std::unique_ptr<Replica> replica_;
};

TEST_F(ReplicaTest, KillsAnEngineThatFreezesAndStartsAnother) {
  Replica& replica = Start("answers");
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 0));
  const auto stream = Ask("freeze");
  Next<protocol::Accepted>(*stream);
  const EngineGone gone = Next<EngineGone>(*stream);
  EXPECT_TRUE(gone.was_suspect);
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 1));
  EXPECT_EQ(replica.status().stalls, 1);
  EXPECT_NE(replica.status().last_crash->how.find("has not moved"), std::string::npos)
      << replica.status().last_crash->how;
  EXPECT_EQ(replica.status().last_crash->where, "in step 1: forward (batch of 1, 3 tokens)");
  EXPECT_EQ(replica.status().last_crash->replica, 3);
  EXPECT_TRUE(Exposes("hearth_engine_stalls_total{model_name=\"m\"} 1.0\n"));
  EXPECT_TRUE(Exposes("hearth_engine_crashes_total{model_name=\"m\",reason=\"stalled\"} 1.0\n"));
}

TEST_F(ReplicaTest, KillsAnIdleEngineThatIsStopped) {
  Replica& replica = Start("answers");
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 0));
  ASSERT_EQ(kill(replica.status().engine_pid, SIGSTOP), 0);
  EXPECT_TRUE(Eventually([&] { return replica.status().seems_stalled; })) << "said before it ends";
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 1));
  EXPECT_EQ(replica.status().stalls, 1);
}

TEST_F(ReplicaTest, LetsASlowStepFinishThatMoves) {
  options_.stall.serving_s = 1;  // the step takes two, and beats every 10 ms
  Replica& replica = Start("answers");
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 0));
  const auto stream = Ask("slow");
  Next<protocol::Accepted>(*stream);
  EXPECT_EQ(Next<protocol::RequestDelta>(*stream).text, "hello");
  EXPECT_EQ(replica.status().stalls, 0);
  EXPECT_EQ(replica.status().restarts, 0);
}

TEST_F(ReplicaTest, KillsAnEngineThatFreezesWhileItLoads) {
  Replica& replica = Start("freezes-while-loading");
  EXPECT_TRUE(Eventually([&] { return replica.status().stalls >= 2; }));
}

TEST_F(ReplicaTest, RunsInSafeModeAfterFiveCrashesUntilItIsTriedAgain) {
  Replica& replica = Start("answers");
  for (int crashes = 0; crashes < 5; ++crashes) {
    ASSERT_TRUE(WaitFor(ReplicaState::kReady, crashes)) << crashes;
    EXPECT_GT(replica.status().ready.max_num_seqs, 1);
    ASSERT_EQ(kill(replica.status().engine_pid, SIGKILL), 0);
  }
  ASSERT_TRUE(WaitFor(ReplicaState::kDegraded, 5));
  EXPECT_TRUE(replica.status().safe_mode);
  EXPECT_EQ(replica.status().ready.max_num_seqs, 1);
  EXPECT_FALSE(replica.status().ready.enable_prefix_caching);
  EXPECT_NE(replica.status().message.find("safe mode"), std::string::npos);
  EXPECT_TRUE(Exposes("hearth_engine_degraded{engine=\"3\",model_name=\"m\"} 1.0\n"));
  EXPECT_TRUE(Exposes("hearth_replica_state{engine=\"3\",model_name=\"m\",state=\"degraded\"} 1.0\n"));
  const auto stream = Ask("hi");  // it serves
  Next<protocol::Accepted>(*stream);
  Next<protocol::RequestDelta>(*stream);
  Next<protocol::FinishedRequest>(*stream);

  EXPECT_TRUE(replica.TryAgain());
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 5));
  EXPECT_FALSE(replica.status().safe_mode);
  EXPECT_GT(replica.status().ready.max_num_seqs, 1);
  EXPECT_EQ(replica.status().restarts, 5) << "an end that was asked for is no crash";
  EXPECT_TRUE(Exposes("hearth_engine_degraded{engine=\"3\",model_name=\"m\"} 0.0\n"));
}

TEST_F(ReplicaTest, WakesUpWhenItIsTriedAgainByHand) {
  options_.crash.back_off_max_s = 3600;
  Replica& replica = Start("dies-while-loading");
  // Waits 1 s before its third life, which makes two restarts; the 2 s before the next are cut short.
  ASSERT_TRUE(WaitFor(ReplicaState::kRestarting, 3));
  EXPECT_TRUE(replica.TryAgain());
  EXPECT_TRUE(WaitFor(ReplicaState::kRestarting, 5)) << "two at once, after the state was forgotten";
}

TEST_F(ReplicaTest, KillsAndReapsAnEngineThatDoesNotEndWhenItIsTold) {
  Replica& replica = Start("ignores-shutdown");
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 0));
  const pid_t pid = replica.status().engine_pid;
  const double begin_s = MonotonicSeconds();
  replica.Stop();
  EXPECT_GE(MonotonicSeconds() - begin_s, Replica::kShutdownGraceS) << "it had its time";
  EXPECT_EQ(kill(pid, 0), -1) << "reaped";
  EXPECT_EQ(replica.status().restarts, 0);
  EXPECT_FALSE(replica.TryAgain());
}

TEST_F(ReplicaTest, EndsAnEngineThatIsStoppedWhileItUnloads) {
  Replica& replica = Start("answers");
  ASSERT_TRUE(WaitFor(ReplicaState::kReady, 0));
  const pid_t pid = replica.status().engine_pid;
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  replica.Stop();
  EXPECT_EQ(kill(pid, 0), -1) << "reaped";
}

}  // namespace
}  // namespace hearth::models
