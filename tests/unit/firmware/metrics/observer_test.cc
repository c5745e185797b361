#include "firmware/metrics/observer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "firmware/metrics/exposition.h"
#include "firmware/metrics/request_ledger.h"

namespace hearth::metrics {
namespace {

constexpr const char* kRayRequests =
    "ray_serve_deployment_request_counter_total{application=\"default\",deployment=\"LLMServer:m\","
    "model_name=\"m\",replica=\"0\",route=\"/v1/completions\"";

class EngineObserverTest : public ::testing::Test {
 protected:
  EngineObserverTest() : slo_(&registry_, "m"), observer_(&registry_, &slo_, "m", "0") {
    protocol::Ready ready;
    ready.max_model_len = 1024;
    ready.block_size = 16;
    ready.num_blocks = 10;
    observer_.OnReady(ready);
  }

  // The value of the recorded series whose text starts with `name`, NaN when there is none.
  double Value(const std::string& name) {
    const Snapshot snapshot = registry_.TakeSnapshot();
    for (size_t i = 0; i < snapshot.series.size(); ++i) {
      if (SeriesText(snapshot.series[i]->labels).rfind(name, 0) == 0) return snapshot.values[i];
    }
    return std::nan("");
  }

  static RequestFacts Arrived(double time_s) {
    RequestFacts facts;
    facts.arrival_time_s = facts.submit_time_s = time_s;
    facts.http_request_id = "r";
    facts.route = "/v1/completions";
    return facts;
  }

  protocol::StepOutput Step(double time_s, std::vector<uint64_t> with_token) {
    protocol::StepOutput output;
    output.stats.time_s = time_s;
    output.stats.num_requests_running = static_cast<int>(with_token.size());
    output.stats.num_generation_tokens = static_cast<int>(with_token.size());
    output.stats.num_blocks_used = 5;
    output.stats.num_blocks_total = 10;
    for (const uint64_t id : with_token) output.deltas.push_back({id, "x", {1}, 0});
    return output;
  }

  Registry registry_;
  SloJudge slo_;
  EngineObserver observer_;
};

TEST_F(EngineObserverTest, HasEveryChildAtZeroBeforeTraffic) {
  for (const std::string_view reason : kFinishReasons) {
    EXPECT_EQ(Value("vllm:request_success_total{engine=\"0\",finished_reason=\"" +
                    std::string(reason)),
              0);
  }
  EXPECT_EQ(Value("vllm:time_to_first_token_seconds_count"), 0);
  EXPECT_EQ(Value(kRayRequests), 0);
  EXPECT_EQ(Value("vllm:cache_config_info"), 1);
}

TEST_F(EngineObserverTest, TakesEachIntervalFromItsOwnClock) {
  observer_.OnAccepted(7, Arrived(100.0), 12);
  observer_.OnStep(Step(100.5, {7}), 100.51);  // first token
  observer_.OnStep(Step(100.75, {7}), 100.76);
  protocol::StepOutput last = Step(101.0, {7});
  protocol::FinishedRequest finished;
  finished.request_id = 7;
  finished.finish_reason = "stop";
  finished.num_prompt_tokens = 12;
  finished.num_generation_tokens = 3;
  finished.queued_time_s = 100.1;
  finished.scheduled_time_s = 100.2;
  finished.first_token_time_s = 100.5;
  finished.last_token_time_s = 101.0;
  last.finished.push_back(finished);
  observer_.OnStep(last, 101.01);

  EXPECT_NEAR(Value("vllm:time_to_first_token_seconds_sum"), 0.51, 1e-9);
  EXPECT_NEAR(Value("vllm:inter_token_latency_seconds_sum"), 0.5, 1e-9);
  EXPECT_EQ(Value("vllm:inter_token_latency_seconds_count"), 2);
  EXPECT_NEAR(Value("vllm:e2e_request_latency_seconds_sum"), 1.01, 1e-9);
  EXPECT_NEAR(Value("vllm:request_queue_time_seconds_sum"), 0.1, 1e-9);
  EXPECT_NEAR(Value("vllm:request_prefill_time_seconds_sum"), 0.3, 1e-9);
  EXPECT_NEAR(Value("vllm:request_decode_time_seconds_sum"), 0.5, 1e-9);
  EXPECT_NEAR(Value("vllm:request_inference_time_seconds_sum"), 0.8, 1e-9);
  EXPECT_NEAR(Value("vllm:request_time_per_output_token_seconds_sum"), 0.25, 1e-9);
  EXPECT_EQ(Value("vllm:prompt_tokens_total"), 12);
  EXPECT_EQ(Value("vllm:generation_tokens_total"), 3);
  EXPECT_EQ(Value("vllm:kv_cache_usage_perc"), 0.5);
  EXPECT_EQ(Value("vllm:request_success_total{engine=\"0\",finished_reason=\"stop\""), 1);
  EXPECT_EQ(Value(kRayRequests), 1);
}

TEST_F(EngineObserverTest, CountsWhatAnEngineTookWithItAsErrors) {
  RequestFacts second_try = Arrived(100.0);
  second_try.num_requeues = 1;
  observer_.OnAccepted(1, Arrived(100.0), 4);
  observer_.OnAccepted(2, second_try, 4);
  observer_.OnAccepted(3, Arrived(100.0), 4);  // has no token yet: it is placed once more
  observer_.OnStep(Step(100.5, {1}), 100.5);
  observer_.OnEngineGone(0);
  EXPECT_EQ(Value("vllm:request_success_total{engine=\"0\",finished_reason=\"error\""), 2);
  EXPECT_EQ(Value("vllm:num_requests_running"), 0);
  EXPECT_EQ(Value("vllm:kv_cache_usage_perc"), 0);
  EXPECT_EQ(Value("vllm:generation_tokens_total"), 1) << "counters never go back";
}

TEST_F(EngineObserverTest, WithdrawsWhatIsTrueOfARunningEngineOnly) {
  EXPECT_EQ(Value("vllm:cache_config_info"), 1);
  observer_.OnEngineGone(0);
  EXPECT_TRUE(std::isnan(Value("vllm:cache_config_info")));
  EXPECT_TRUE(std::isnan(Value("vllm:cache_config_info")));
  protocol::Ready smaller;
  smaller.max_model_len = 1024;
  smaller.block_size = 16;
  smaller.num_blocks = 5;
  observer_.OnReady(smaller);
  EXPECT_EQ(Value("vllm:cache_config_info"), 1) << "of the engine that runs";
}

TEST_F(EngineObserverTest, IgnoresRequestsItNeverAccepted) {
  protocol::StepOutput output = Step(1.0, {99});
  observer_.OnStep(output, 1.0);
  EXPECT_EQ(Value("vllm:time_to_first_token_seconds_count"), 0);
}

TEST_F(EngineObserverTest, SplitsPromptTokensByTheirSource) {
  observer_.OnAccepted(7, Arrived(100.0), 40);
  protocol::StepOutput step = Step(100.5, {7});
  step.deltas[0].num_cached_tokens = 32;
  observer_.OnStep(step, 100.5);
  EXPECT_EQ(Value("vllm:prompt_tokens_total"), 40);
  EXPECT_EQ(Value("vllm:prompt_tokens_cached_total"), 32);
  const std::string by_source = "vllm:prompt_tokens_by_source_total{engine=\"0\",model_name=\"m\",";
  EXPECT_EQ(Value(by_source + "source=\"local_compute\""), 8);
  EXPECT_EQ(Value(by_source + "source=\"local_cache_hit\""), 32);
  EXPECT_EQ(Value(by_source + "source=\"external_kv_transfer\""), 0);
}

TEST_F(EngineObserverTest, SaysThatAnEngineWithoutAProcessSleepsDeeply) {
  const std::string state = "vllm:engine_sleep_state{engine=\"0\",model_name=\"m\",sleep_state=";
  EXPECT_EQ(Value(state + "\"awake\""), 1);
  observer_.OnEngineGone(0.5);
  EXPECT_EQ(Value(state + "\"awake\""), 0);
  EXPECT_EQ(Value(state + "\"discard_all\""), 1);
  EXPECT_EQ(Value("ray_serve_multiplexed_model_unload_latency_ms_sum"), 500);
}

class SloTest : public ::testing::Test {
 protected:
  double Value(MetricId id) {
    const Snapshot snapshot = registry_.TakeSnapshot();
    for (size_t i = 0; i < snapshot.series.size(); ++i) {
      if (snapshot.series[i]->id == id) return snapshot.values[i];
    }
    return std::nan("");
  }

  Registry registry_;
  SloJudge slo_{&registry_, "m"};
};

TEST_F(SloTest, CallsARequestGoodThatMeetsEveryTarget) {
  slo_.SetTargets({.ttft_s = 1, .tpot_s = 0.1, .e2e_s = {}});
  slo_.OnAnswered({.ttft_s = 1, .tpot_s = 0.1, .e2e_s = 1000});
  slo_.OnAnswered({.ttft_s = 1.01, .tpot_s = 0.01, .e2e_s = 2});
  slo_.OnAnswered({.ttft_s = 0.5, .tpot_s = 0.11, .e2e_s = 2});
  slo_.OnFailed();
  EXPECT_EQ(Value(MetricId::kSloRequests), 4);
  EXPECT_EQ(Value(MetricId::kSloGoodRequests), 1);
}

TEST_F(SloTest, JudgesFailuresOfTheBoxAndNotOfTheClient) {
  RequestLedger ledger(&registry_);
  ledger.OnModelKnown("m", &slo_);
  ledger.Begin("m").Failed("client_gone");
  ledger.Begin("m").Failed("invalid_request");
  EXPECT_EQ(Value(MetricId::kSloRequests), 0);
  ledger.Begin("m").Failed("engine_died");
  EXPECT_EQ(Value(MetricId::kSloRequests), 1);
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() { ledger_.OnModelKnown("m", nullptr); }

  double Value(const std::string& name) {
    const Snapshot snapshot = registry_.TakeSnapshot();
    for (size_t i = 0; i < snapshot.series.size(); ++i) {
      if (SeriesText(snapshot.series[i]->labels) == name) return snapshot.values[i];
    }
    return std::nan("");
  }

  Registry registry_;
  RequestLedger ledger_{&registry_};
};

TEST_F(LedgerTest, EndsEveryRequestOnce) {
  {
    auto answered = ledger_.Begin("m");
    auto failed = ledger_.Begin("m");
    auto open = ledger_.Begin("m");
    EXPECT_EQ(Value("hearth_requests_in_flight{model_name=\"m\"}"), 3);
    answered.Answered("stop");
    failed.Failed("engine_error");
    ledger_.Balance();
    EXPECT_EQ(Value("hearth_requests_in_flight{model_name=\"m\"}"), 1);
    EXPECT_EQ(Value("hearth_requests_unaccounted{model_name=\"m\"}"), 0);
    open.Answered("length");
  }
  EXPECT_EQ(Value("hearth_requests_started_total{model_name=\"m\"}"), 3);
  EXPECT_EQ(Value("hearth_requests_answered_total{finish_reason=\"stop\",model_name=\"m\"}"), 1);
  EXPECT_EQ(Value("hearth_requests_answered_total{finish_reason=\"length\",model_name=\"m\"}"), 1);
  EXPECT_EQ(Value("hearth_request_failures_total{model_name=\"m\",reason=\"engine_error\"}"), 1);
  EXPECT_EQ(Value("hearth_requests_in_flight{model_name=\"m\"}"), 0);
}

TEST_F(LedgerTest, ShowsARequestThatEndedTwiceOrNever) {
  auto twice = ledger_.Begin("m");
  twice.Answered("stop");
  twice.Failed("client_gone");
  ledger_.Balance();
  EXPECT_EQ(Value("hearth_requests_unaccounted{model_name=\"m\"}"), -1);
  { const auto forgotten = ledger_.Begin("m"); }
  EXPECT_EQ(Value("hearth_request_failures_total{model_name=\"m\",reason=\"lost\"}"), 1);
}

TEST(TokenBuckets, EndAtTheContextLength) {
  EXPECT_EQ(TokenBuckets(1024).back(), 1000);
  EXPECT_EQ(TokenBuckets(8192).back(), 5000);
  EXPECT_EQ(TokenBuckets(1).size(), 1u);
}

}  // namespace
}  // namespace hearth::metrics
