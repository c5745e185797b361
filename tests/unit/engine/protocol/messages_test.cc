#include "engine/protocol/messages.h"

#include <gtest/gtest.h>

namespace hearth::protocol {
namespace {

template <typename T>
T RoundTrip(const T& value) {
  auto message = DecodeMessage(EncodeMessage(value));
  EXPECT_TRUE(message.ok()) << message.status().ToString();
  EXPECT_TRUE(std::holds_alternative<T>(*message));
  return std::get<T>(*message);
}

TEST(Messages, CarryARequestWhole) {
  Generate generate;
  generate.request_id = uint64_t{1} << 60;
  generate.arrival_time_s = 1234.000001;
  generate.messages = *ParseJson(R"([{"role":"user","content":"caf\u00e9"}])");
  generate.sampling_params.temperature = 0.0;
  generate.sampling_params.stop = {"\n\n", "END"};
  const Generate copy = RoundTrip(generate);
  EXPECT_EQ(copy.request_id, generate.request_id);
  EXPECT_EQ(copy.arrival_time_s, generate.arrival_time_s);
  EXPECT_EQ(copy.messages, generate.messages);
  EXPECT_EQ(copy.sampling_params.temperature, 0.0);
  EXPECT_EQ(copy.sampling_params.top_p, std::nullopt);
  EXPECT_EQ(copy.sampling_params.stop, generate.sampling_params.stop);
  EXPECT_EQ(copy.prompt, std::nullopt);
}

TEST(Messages, CarryAStepWithManyRequests) {
  StepOutput output;
  output.stats.step = 7;
  for (uint64_t id = 0; id < 64; ++id) output.deltas.push_back({id, "x", {int(id)}});
  FinishedRequest finished;
  finished.request_id = 63;
  finished.finish_reason = "stop";
  output.finished.push_back(finished);
  const StepOutput copy = RoundTrip(output);
  ASSERT_EQ(copy.deltas.size(), 64u);
  EXPECT_EQ(copy.deltas[63].token_ids, std::vector<int>{63});
  EXPECT_EQ(copy.finished[0].finish_reason, "stop");
}

TEST(Messages, CarryWhatMetricsAreMadeOf) {
  Load load;
  EXPECT_TRUE(load.enable_prefix_caching);
  load.enable_prefix_caching = false;
  EXPECT_FALSE(RoundTrip(load).enable_prefix_caching);

  Ready ready;
  ready.kv_cache_dtype = "float32";
  ready.enable_prefix_caching = true;
  ready.max_num_seqs = 48;
  ready.workspace_bytes = int64_t{5} << 32;
  const Ready ready_copy = RoundTrip(ready);
  EXPECT_EQ(ready_copy.kv_cache_dtype, "float32");
  EXPECT_TRUE(ready_copy.enable_prefix_caching);
  EXPECT_EQ(ready_copy.max_num_seqs, 48);
  EXPECT_EQ(ready_copy.workspace_bytes, int64_t{5} << 32);

  StepOutput output;
  output.stats.prefix_cache_queries = 40;
  output.stats.prefix_cache_hits = 32;
  output.stats.estimated_flops = 1.25e15;
  output.stats.estimated_read_bytes = 3e12;
  output.stats.estimated_write_bytes = 7.5;
  output.deltas.push_back({1, "", {}, 32});
  FinishedRequest finished;
  finished.num_cached_tokens = 32;
  finished.num_preemptions = 3;
  output.finished.push_back(finished);
  const StepOutput copy = RoundTrip(output);
  EXPECT_EQ(copy.stats.prefix_cache_queries, 40);
  EXPECT_EQ(copy.stats.prefix_cache_hits, 32);
  EXPECT_EQ(copy.stats.estimated_flops, 1.25e15);
  EXPECT_EQ(copy.stats.estimated_read_bytes, 3e12);
  EXPECT_EQ(copy.stats.estimated_write_bytes, 7.5);
  EXPECT_EQ(copy.deltas[0].num_cached_tokens, 32);
  EXPECT_EQ(copy.finished[0].num_cached_tokens, 32);
  EXPECT_EQ(copy.finished[0].num_preemptions, 3);
}

TEST(Messages, CarryAPlanWhole) {
  Load load;
  load.plan_only = true;
  EXPECT_TRUE(RoundTrip(load).plan_only);
  Planned planned;
  planned.architecture = "Qwen2ForCausalLM";
  planned.weight_bytes = int64_t{1} << 40;
  planned.kv_bytes_per_token = 12'288;
  planned.max_position_embeddings = 32'768;
  planned.memory_free_bytes = 17;
  EXPECT_EQ(ToJson(RoundTrip(planned)), ToJson(planned));
}

TEST(Messages, RefuseUnknownTypesAndWrongFields) {
  EXPECT_FALSE(DecodeMessage(DumpCbor(*ParseJson(R"({"type":"dance"})"))).ok());
  EXPECT_FALSE(DecodeMessage(DumpCbor(*ParseJson(R"([1])"))).ok());
  const auto wrong = DecodeMessage(DumpCbor(*ParseJson(R"({"type":"abort","request_id":"x"})")));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.status().message(), "abort: field 'request_id' must be an integer, not string");
}

}  // namespace
}  // namespace hearth::protocol
