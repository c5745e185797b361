// A ModelManager over the scripted engine, and what its tests say again and again.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "firmware/metrics/exposition.h"
#include "firmware/models/model_manager.h"

namespace hearth::models {

// What `script` serves as "m".
inline ModelOptions Scripted(const std::string& script) {
  ModelOptions options;
  options.load.model = script;
  options.load.served_model_name = "m";
  return options;
}

// Waits until it is so, for at most 20 s; the caller asserts.
inline bool Eventually(const std::function<bool()>& condition) {
  const double deadline_s = MonotonicSeconds() + 20;
  while (!condition() && MonotonicSeconds() < deadline_s) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

class ModelManagerTest : public ::testing::Test {
 protected:
  void Serve(const std::string& script) { EXPECT_TRUE(manager_.Serve(Scripted(script)).ok()); }

  ModelStatus model() { return manager_.Statuses().at(0); }
  ReplicaStatus status() { return model().replica; }

  void WaitFor(ReplicaState state) {
    Eventually([&] { return status().state == state; });
    EXPECT_EQ(StateName(status().state), StateName(state)) << status().message;
  }

  Result<Ticket> Submit(const std::string& prompt, const std::string& model = "m",
                        const std::function<bool()>& client_gone = {}) {
    protocol::Generate generate;
    generate.prompt = prompt;
    generate.arrival_time_s = MonotonicSeconds();
    metrics::RequestFacts facts;
    facts.arrival_time_s = generate.arrival_time_s;
    facts.route = "/v1/completions";
    return manager_.Submit(model, std::move(generate), std::move(facts), client_gone);
  }

  // What only changes by looking, once a second.
  bool ExposesOnceSeen(const std::string& line) {
    manager_.Observe();
    return Exposes(line);
  }
  bool Exposes(const std::string& line) {
    metrics::Exposition exposition;
    return exposition
               .Render(registry_.TakeSnapshot(), metrics::Format::kText, metrics::ViewSet::All())
               .find(line) != std::string::npos;
  }

  // A candidate that has become ready.
  std::shared_ptr<Replica> Candidate(const std::string& script) {
    auto candidate = manager_.StartCandidate(Scripted(script));
    EXPECT_TRUE(candidate.ok()) << candidate.status().ToString();
    EXPECT_TRUE(Eventually([&] { return (*candidate)->status().state == ReplicaState::kReady; }));
    return *candidate;
  }

  metrics::Registry registry_;
  metrics::RequestLedger ledger_{&registry_};
  ModelManager manager_{{.engine_executable = SCRIPTED_ENGINE}, &registry_, &ledger_};
};

template <typename T>
T Expect(Ticket& ticket) {
  const auto event = ticket.Next(std::chrono::seconds(20));
  EXPECT_TRUE(event.has_value() && std::holds_alternative<T>(*event))
      << (event ? "another event: " + std::to_string(event->index()) : "no event");
  return event && std::holds_alternative<T>(*event) ? std::get<T>(*event) : T{};
}

// What a request got that ran to its end; a failure of the test otherwise.
inline std::string AnswerOf(Result<Ticket> ticket) {
  EXPECT_TRUE(ticket.ok()) << ticket.status().ToString();
  if (!ticket.ok()) return "";
  Expect<protocol::Accepted>(*ticket);
  std::string text;
  while (const auto event = ticket->Next(std::chrono::seconds(20))) {
    if (const auto* delta = std::get_if<protocol::RequestDelta>(&*event)) {
      text += delta->text;
      continue;
    }
    const auto* finished = std::get_if<protocol::FinishedRequest>(&*event);
    EXPECT_TRUE(finished != nullptr && finished->finish_reason == "stop");
    return text;
  }
  ADD_FAILURE() << "the request hangs";
  return text;
}

}  // namespace hearth::models
