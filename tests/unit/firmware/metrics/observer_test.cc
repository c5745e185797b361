#include "firmware/metrics/observer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "firmware/metrics/exposition.h"

namespace hearth::metrics {
namespace {

class EngineObserverTest : public ::testing::Test {
 protected:
  EngineObserverTest() : observer_(&registry_, "m", "0") {
    protocol::Ready ready;
    ready.max_model_len = 1024;
    ready.block_size = 16;
    ready.num_blocks = 10;
    observer_.OnReady(ready);
  }

  // The value of the series whose line starts with `name`, NaN when there is none.
  double Value(const std::string& name) {
    const Snapshot snapshot = registry_.TakeSnapshot();
    for (size_t i = 0; i < snapshot.series.size(); ++i) {
      if (snapshot.series[i]->line.rfind(name, 0) == 0) return snapshot.values[i];
    }
    return std::nan("");
  }

  protocol::StepOutput Step(double time_s, std::vector<uint64_t> with_token) {
    protocol::StepOutput output;
    output.stats.time_s = time_s;
    output.stats.num_requests_running = static_cast<int>(with_token.size());
    output.stats.num_generation_tokens = static_cast<int>(with_token.size());
    output.stats.num_blocks_used = 5;
    output.stats.num_blocks_total = 10;
    for (const uint64_t id : with_token) output.deltas.push_back({id, "x", {1}});
    return output;
  }

  Registry registry_;
  EngineObserver observer_;
};

TEST_F(EngineObserverTest, HasEveryChildAtZeroBeforeTraffic) {
  for (const std::string_view reason : kFinishReasons) {
    EXPECT_EQ(Value("vllm:request_success_total{engine=\"0\",finished_reason=\"" +
                    std::string(reason)),
              0);
  }
  EXPECT_EQ(Value("vllm:time_to_first_token_seconds_count"), 0);
  EXPECT_EQ(Value("ray_serve_deployment_request_counter_total{WorkerId="), 0);
  EXPECT_EQ(Value("hearth_kv_cache_capacity_tokens"), 160);
}

TEST_F(EngineObserverTest, TakesEachIntervalFromItsOwnClock) {
  observer_.OnAccepted(7, 100.0, 12);
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
  EXPECT_EQ(Value("ray_serve_deployment_request_counter_total{WorkerId="), 1);
}

TEST_F(EngineObserverTest, CountsWhatAnEngineTookWithItAsErrors) {
  observer_.OnAccepted(1, 100.0, 4);
  observer_.OnAccepted(2, 100.0, 4);
  observer_.OnStep(Step(100.5, {1}), 100.5);
  observer_.OnEngineGone();
  EXPECT_EQ(Value("vllm:request_success_total{engine=\"0\",finished_reason=\"error\""), 2);
  EXPECT_EQ(Value("vllm:num_requests_running"), 0);
  EXPECT_EQ(Value("vllm:kv_cache_usage_perc"), 0);
  EXPECT_EQ(Value("vllm:generation_tokens_total"), 1) << "counters never go back";
}

TEST_F(EngineObserverTest, IgnoresRequestsItNeverAccepted) {
  protocol::StepOutput output = Step(1.0, {99});
  observer_.OnStep(output, 1.0);
  EXPECT_EQ(Value("vllm:time_to_first_token_seconds_count"), 0);
}

TEST(TokenBuckets, EndAtTheContextLength) {
  EXPECT_EQ(TokenBuckets(1024).back(), 1000);
  EXPECT_EQ(TokenBuckets(8192).back(), 5000);
  EXPECT_EQ(TokenBuckets(1).size(), 1u);
}

}  // namespace
}  // namespace hearth::metrics
