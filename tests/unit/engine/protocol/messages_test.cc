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

TEST(Messages, RefuseUnknownTypesAndWrongFields) {
  EXPECT_FALSE(DecodeMessage(DumpCbor(*ParseJson(R"({"type":"dance"})"))).ok());
  EXPECT_FALSE(DecodeMessage(DumpCbor(*ParseJson(R"([1])"))).ok());
  const auto wrong = DecodeMessage(DumpCbor(*ParseJson(R"({"type":"abort","request_id":"x"})")));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.status().message(), "abort: field 'request_id' must be an integer, not string");
}

}  // namespace
}  // namespace hearth::protocol
