// Models that come and go, over the scripted engine: it plans 9 MiB for itself on a box of 100 MiB.
#include <thread>

#include "tests/unit/firmware/models/manager_fixture.h"

namespace hearth::models {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

class ScalerTest : public ::testing::Test {
 protected:
  // A box whose models may take `limit` bytes together.
  ModelManager& Box(int64_t limit = 0) {
    ModelManagerOptions options;
    options.engine_executable = SCRIPTED_ENGINE;
    options.memory_limit_bytes = limit;
    options.on_event = [this](const char* kind, const std::string& text) {
      std::lock_guard lock(mutex_);
      events_.push_back(std::string(kind) + ": " + text);
    };
    manager_ = std::make_unique<ModelManager>(std::move(options), &registry_, &ledger_);
    return *manager_;
  }

  static ModelOptions Sleeper(const std::string& name, const std::string& script = "answers") {
    ModelOptions options;
    options.load.model = script;
    options.load.served_model_name = name;
    options.autoscales = true;
    options.autoscaling.min_replicas = 0;
    options.autoscaling.max_replicas = 2;
    options.autoscaling.target_ongoing_requests = 2;
    options.autoscaling.look_back_period_s = 0.2;
    options.autoscaling.upscale_delay_s = 0.2;
    options.autoscaling.downscale_delay_s = 0.2;
    options.autoscaling.downscale_to_zero_delay_s = 3600;
    return options;
  }

  ModelStatus status(const std::string& name) {
    for (const ModelStatus& status : manager_->Statuses()) {
      if (status.model_name == name) return status;
    }
    ADD_FAILURE() << name << " is not known";
    return {};
  }
  bool IsIn(const std::string& name, const std::string& state) {
    return Eventually([&] { return status(name).state == state; });
  }
  int num_ready(const std::string& name) {
    int count = 0;
    for (const ReplicaView& replica : status(name).replicas) {
      if (replica.status.state == ReplicaState::kReady) ++count;
    }
    return count;
  }

  Result<Ticket> Ask(const std::string& model, const std::string& prompt = "hi") {
    protocol::Generate generate;
    generate.prompt = prompt;
    metrics::RequestFacts facts;
    facts.route = "/v1/completions";
    return manager_->Submit(model, std::move(generate), std::move(facts));
  }

  bool HasEvent(const std::string& beginning) {
    std::lock_guard lock(mutex_);
    return std::any_of(events_.begin(), events_.end(),
                       [&](const std::string& event) { return event.starts_with(beginning); });
  }

  metrics::Registry registry_;
  metrics::RequestLedger ledger_{&registry_};
  std::mutex mutex_;
  std::vector<std::string> events_;
  std::unique_ptr<ModelManager> manager_;
};

TEST_F(ScalerTest, SleepsUntilARequestComesWhichIsAnswered) {
  Box();
  ASSERT_TRUE(manager_->Serve(Sleeper("m")).ok());
  EXPECT_EQ(status("m").state, "asleep");
  EXPECT_TRUE(status("m").replicas.empty());
  EXPECT_EQ(AnswerOf(Ask("m")), "hello");
  EXPECT_TRUE(IsIn("m", "ready"));
  EXPECT_TRUE(HasEvent("model_woken: 'm'"));
}

TEST_F(ScalerTest, GivesItsMemoryBackWhenNobodyAsks) {
  Box();
  ModelOptions options = Sleeper("m");
  options.autoscaling.downscale_to_zero_delay_s = 0.2;
  ASSERT_TRUE(manager_->Serve(options).ok());
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(AnswerOf(Ask("m")), "hello");
    EXPECT_TRUE(IsIn("m", "asleep"));
    EXPECT_TRUE(Eventually([&] { return manager_->num_draining("m") == 0; }));
    // Those who waited while it woke do not wake it once more.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_EQ(status("m").state, "asleep");
  }
  EXPECT_TRUE(HasEvent("model_asleep: 'm'"));
}

TEST_F(ScalerTest, HasAsManyReplicasAsTheLoadAsksFor) {
  Box();
  ASSERT_TRUE(manager_->Serve(Sleeper("m")).ok());
  {
    std::vector<Ticket> held;
    for (int i = 0; i < 3; ++i) {
      auto ticket = Ask("m", "hold");
      ASSERT_TRUE(ticket.ok()) << ticket.status().ToString();
      held.push_back(std::move(*ticket));
    }
    EXPECT_TRUE(Eventually([&] { return num_ready("m") == 2; }));
    EXPECT_EQ(status("m").scale.decision.desired, 2);
    // The next request goes to the one that has none.
    auto fourth = Ask("m", "hold");
    ASSERT_TRUE(fourth.ok());
    int on_second = 0;
    for (const ReplicaView& replica : status("m").replicas) {
      if (replica.index == 1) on_second = replica.num_ongoing;
    }
    EXPECT_EQ(on_second, 1);
  }
  EXPECT_TRUE(Eventually([&] { return status("m").replicas.size() == 1; }));
  EXPECT_EQ(AnswerOf(Ask("m")), "hello");
}

TEST_F(ScalerTest, LetsTheLongestUnusedModelGiveWay) {
  Box(20 * kMiB);  // two of them
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(manager_->Serve(Sleeper(name)).ok());
    EXPECT_EQ(AnswerOf(Ask(name)), "hello");
  }
  EXPECT_TRUE(IsIn("a", "asleep"));
  EXPECT_EQ(status("b").state, "ready");
  EXPECT_EQ(status("c").state, "ready");
  EXPECT_TRUE(HasEvent("model_gave_way: 'a' gives way to 'c'"));
  EXPECT_EQ(AnswerOf(Ask("b")), "hello");
  EXPECT_EQ(AnswerOf(Ask("a")), "hello");
  EXPECT_TRUE(IsIn("c", "asleep"));
  EXPECT_EQ(status("b").state, "ready");
}

TEST_F(ScalerTest, LeavesWhatIsPinnedAndSaysWhatIsShort) {
  Box(12 * kMiB);  // one of them
  ModelOptions pinned = Sleeper("a");
  pinned.pinned = true;
  ASSERT_TRUE(manager_->Serve(pinned).ok());
  ASSERT_TRUE(manager_->Serve(Sleeper("b")).ok());
  EXPECT_EQ(AnswerOf(Ask("a")), "hello");
  const auto refused = Ask("b");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kUnavailable);
  EXPECT_NE(refused.status().message().find("asleep and cannot be woken: It does not fit"),
            std::string::npos)
      << refused.status().message();
  EXPECT_EQ(status("a").state, "ready");
}

TEST_F(ScalerTest, WaitsForABusyModelInsteadOfEndingItsRequests) {
  Box(12 * kMiB);
  ASSERT_TRUE(manager_->Serve(Sleeper("a")).ok());
  ASSERT_TRUE(manager_->Serve(Sleeper("b")).ok());
  auto held = Ask("a", "hold");
  ASSERT_TRUE(held.ok());
  std::string answer;
  std::thread waiting([&] { answer = AnswerOf(Ask("b")); });
  EXPECT_TRUE(Eventually([&] { return status("b").num_waiting == 1; }));
  EXPECT_TRUE(Eventually([&] { return !status("b").scale.prevented_by.empty(); }));
  EXPECT_EQ(status("a").state, "ready");
  { const Ticket gone = std::move(*held); }  // its client leaves
  waiting.join();
  EXPECT_EQ(answer, "hello");
  EXPECT_EQ(status("a").state, "asleep");
}

TEST_F(ScalerTest, DoesNotSendAModelAwayForOneMoreReplica) {
  Box(20 * kMiB);
  ASSERT_TRUE(manager_->Serve(Sleeper("a")).ok());
  ASSERT_TRUE(manager_->Serve(Sleeper("b")).ok());
  EXPECT_EQ(AnswerOf(Ask("a")), "hello");
  std::vector<Ticket> held;
  for (int i = 0; i < 4; ++i) {
    auto ticket = Ask("b", "hold");
    ASSERT_TRUE(ticket.ok());
    held.push_back(std::move(*ticket));
  }
  EXPECT_TRUE(Eventually([&] { return !status("b").scale.prevented_by.empty(); }));
  EXPECT_EQ(status("b").target_replicas, 2);
  EXPECT_EQ(num_ready("b"), 1);
  EXPECT_EQ(status("a").state, "ready");
  EXPECT_TRUE(HasEvent("autoscale_prevented: 'b' gets no further replica: memory: "));
}

TEST_F(ScalerTest, SleepsAndWakesByHandWhereItMay) {
  Box();
  ASSERT_TRUE(manager_->Serve(Sleeper("m")).ok());
  EXPECT_TRUE(manager_->Wake("m").ok());
  EXPECT_TRUE(IsIn("m", "ready"));
  EXPECT_TRUE(manager_->Sleep("m").ok());
  EXPECT_TRUE(IsIn("m", "asleep"));
  ModelOptions stays = Sleeper("n");
  stays.autoscaling.min_replicas = 1;
  ASSERT_TRUE(manager_->Serve(stays).ok());
  const Status refused = manager_->Sleep("n");
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("set min_replicas to 0"), std::string::npos);
}

TEST_F(ScalerTest, SaysWhyAModelThatFailsToWakeFailed) {
  Box();
  ASSERT_TRUE(manager_->Serve(Sleeper("m", "fits but cannot-be-loaded")).ok());
  const auto refused = Ask("m");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("the file is broken"), std::string::npos);
  EXPECT_EQ(status("m").state, "failed");
}

TEST_F(ScalerTest, AnswersToAliasesAndWantsANameWhereSeveralServe) {
  Box();
  ModelOptions options = Sleeper("m");
  options.aliases = {"chat", "gpt-4o"};
  ASSERT_TRUE(manager_->Serve(options).ok());
  EXPECT_EQ(*manager_->Resolve("gpt-4o"), "m");
  EXPECT_EQ(*manager_->Resolve(""), "m");
  EXPECT_EQ(AnswerOf(Ask("chat")), "hello");
  ASSERT_TRUE(manager_->Serve(Sleeper("n")).ok());
  const auto nameless = manager_->Resolve("");
  EXPECT_EQ(nameless.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(nameless.status().message().find("'m', 'n'"), std::string::npos);
}

TEST_F(ScalerTest, AddsReplicasAfterAnExchange) {
  Box();
  ModelOptions options = Sleeper("m");
  options.autoscaling.min_replicas = options.autoscaling.max_replicas = 1;
  ASSERT_TRUE(manager_->Serve(options).ok());
  EXPECT_TRUE(IsIn("m", "ready"));
  options.load.model = "answers as B";
  options.autoscaling.min_replicas = options.autoscaling.max_replicas = 2;
  auto candidate = manager_->StartCandidate(options);
  ASSERT_TRUE(candidate.ok());
  EXPECT_TRUE(Eventually([&] { return (*candidate)->status().state == ReplicaState::kReady; }));
  ASSERT_TRUE(manager_->SwitchTo(options, *candidate).ok());
  EXPECT_TRUE(Eventually([&] { return num_ready("m") == 2; }));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(AnswerOf(Ask("m")), "B");
}

TEST_F(ScalerTest, CountsEachReplicaInASeriesOfItsOwn) {
  Box();
  ModelOptions options = Sleeper("m");
  options.autoscaling.min_replicas = 2;
  ASSERT_TRUE(manager_->Serve(options).ok());
  EXPECT_TRUE(Eventually([&] { return num_ready("m") == 2; }));
  manager_->Observe();
  metrics::Exposition exposition;
  const std::string page =
      exposition.Render(registry_.TakeSnapshot(), metrics::Format::kText, metrics::ViewSet::All());
  for (const char* line :
       {"hearth_replica_state{engine=\"1\",model_name=\"m\",state=\"ready\"} 1.0\n",
        "hearth_model_state{model_name=\"m\",state=\"ready\"} 1.0\n",
        "hearth_model_memory_bytes{kind=\"weights\",model_name=\"m\"} 1.6777216e+07\n",
        "vllm:num_requests_running{engine=\"1\",model_name=\"m\"} 0.0\n"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace hearth::models
