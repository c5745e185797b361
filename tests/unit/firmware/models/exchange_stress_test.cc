// Clients ask without a pause while the engine behind their model is exchanged again and again, in
// every way there is. Each request must end exactly once, and normally.
#include <atomic>
#include <cstdlib>
#include <random>
#include <vector>

#include "tests/unit/firmware/models/manager_fixture.h"

namespace hearth::models {
namespace {

constexpr int kClients = 6;

// HEARTH_SWITCHES=1000 for a long run.
int NumSwitches() {
  const char* const text = std::getenv("HEARTH_SWITCHES");
  return text != nullptr ? std::atoi(text) : 60;
}

class ExchangeStressTest : public ModelManagerTest {
 protected:
  // Asks until told to stop; one of eight requests is broken off by its client.
  void Ask(int client) {
    std::mt19937 random(static_cast<unsigned>(client));
    while (!done_) {
      const bool leaves = random() % 8 == 0;
      auto ticket = Submit(leaves ? "hold" : random() % 2 == 0 ? "hi" : "long");
      if (!ticket.ok()) {
        Complain(ticket.status().ToString());
        return;
      }
      if (leaves) {
        ++num_left_;
        continue;  // the ticket's end aborts it
      }
      ++num_asked_;
      if (EndsNormally(*ticket)) ++num_answered_;
    }
  }

  bool EndsNormally(Ticket& ticket) {
    bool is_accepted = false;
    int num_tokens = 0;
    while (const auto event = ticket.Next(std::chrono::seconds(60))) {
      if (std::holds_alternative<protocol::Accepted>(*event)) is_accepted = true;
      if (std::holds_alternative<protocol::RequestDelta>(*event)) ++num_tokens;
      if (!IsFinal(*event)) continue;
      const auto* finished = std::get_if<protocol::FinishedRequest>(&*event);
      const auto* gone = std::get_if<EngineGone>(&*event);
      if (gone != nullptr) Complain(gone->message);
      if (finished != nullptr && finished->finish_reason != "stop") {
        Complain("ended with " + finished->finish_reason);
      }
      num_tokens_ += num_tokens;
      const bool ends_once = !ticket.Next(std::chrono::seconds(0));
      if (!ends_once) Complain("an event followed the last one");
      return finished != nullptr && finished->finish_reason == "stop" && is_accepted &&
             num_tokens > 0 && ends_once;
    }
    Complain("a request hangs");
    return false;
  }

  void Complain(const std::string& what) { ADD_FAILURE() << what << " after " << num_asked_; }

  ModelOptions RandomOptions(std::mt19937& random) {
    ModelOptions options = Scripted("answers");
    options.max_ongoing_requests = random() % 2 == 0 ? 1 + random() % kClients : 1'000'000'000;
    return options;
  }

  void Exchange(std::mt19937& random) {
    const ModelOptions options = RandomOptions(random);
    const bool first_stops = random() % 3 == 0;
    if (first_stops) {
      ASSERT_TRUE(manager_.Hold("m", 60).ok());
      ASSERT_TRUE(manager_.StopReplicas("m", 60).ok());
    }
    const auto candidate = Candidate("answers");
    const bool probes = random() % 2 == 0;
    if (probes) {
      EXPECT_TRUE(manager_.Probe(*candidate, 60).ok());
    }
    if (!first_stops && random() % 4 == 0) {  // it dies at the moment of the switch
      kill(candidate->status().engine_pid, SIGKILL);
      if (Eventually([&] { return candidate->status().state == ReplicaState::kFailed; })) {
        EXPECT_FALSE(manager_.SwitchTo(options, candidate).ok());
      }
      return;
    }
    ASSERT_TRUE(manager_.SwitchTo(options, candidate).ok());
    if (first_stops) {
      ASSERT_TRUE(manager_.Release("m").ok());
    }
    if (random() % 2 == 0) {
      EXPECT_TRUE(manager_.ApplyLive(RandomOptions(random)).ok());
    }
  }

  std::string Counted(const std::string& reason, int count) {
    return "vllm:request_success_total{engine=\"0\",finished_reason=\"" + reason +
           "\",model_name=\"m\"} " + std::to_string(count) + ".0\n";
  }

  std::atomic<bool> done_ = false;
  std::atomic<int> num_asked_ = 0, num_answered_ = 0, num_left_ = 0, num_tokens_ = 0;
};

TEST_F(ExchangeStressTest, EndsEveryRequestOnceAndNormally) {
  Serve("answers");
  WaitFor(ReplicaState::kReady);
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) clients.emplace_back([=, this] { Ask(client); });
  std::thread observer([this] {
    while (!done_) {
      manager_.Observe();
      manager_.Statuses();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  std::mt19937 random(7);
  for (int i = 0; i < NumSwitches() && !HasFailure(); ++i) Exchange(random);
  done_ = true;
  for (std::thread& client : clients) client.join();
  observer.join();
  EXPECT_EQ(num_answered_, num_asked_);
  EXPECT_GT(num_answered_, NumSwitches());
  EXPECT_TRUE(Eventually([&] { return manager_.num_draining("m") == 0; }));
  EXPECT_TRUE(Eventually([&] { return model().num_ongoing == 0; }));
  EXPECT_EQ(model().num_waiting, 0);
  // Every engine that ever served has counted what it did.
  EXPECT_TRUE(Exposes(Counted("stop", num_answered_)));
  EXPECT_TRUE(Exposes(Counted("abort", num_left_)));
  EXPECT_TRUE(Exposes(Counted("error", 0)));
  EXPECT_TRUE(Exposes("hearth_engine_restarts_total{model_name=\"m\"} 0.0\n"));
  RecordProperty("requests", num_asked_);
  std::printf("%d requests answered, %d left by their clients, over %d exchanges\n",
              num_answered_.load(), num_left_.load(), NumSwitches());
}

}  // namespace
}  // namespace hearth::models
