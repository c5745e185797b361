#include "firmware/api/openai_response.h"

#include <gtest/gtest.h>

namespace hearth::api {
namespace {

using Field = ResponseWriter::UsageField;

TEST(LostRequestBody, SaysWhatWasLostAndWhetherToAskAgain) {
  EXPECT_EQ(DumpJson(LostRequestBody({.message = "gone", .request_id = "r1", .generated_tokens = 7})),
            R"({"error":{"message":"gone","type":"engine_restarted","param":null,"code":503,)"
            R"("request_id":"r1","generated_tokens":7}})");
  const Json put_away =
      LostRequestBody({.message = "no", .request_id = "r1", .is_quarantined = true})["error"];
  EXPECT_EQ(put_away["code"], "request_quarantined");
  EXPECT_EQ(put_away["type"], "invalid_request_error");
}

TEST(ResponseWriter, WritesAWholeChatAnswer) {
  const ResponseWriter writer(Endpoint::kChatCompletions, "r1", "m", 1700000000);
  EXPECT_EQ(DumpJson(writer.Whole({"hi"}, "stop", {3, 2, 1})),
            R"({"id":"chatcmpl-r1","object":"chat.completion","created":1700000000,"model":"m",)"
            R"("choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"logprobs":null,)"
            R"("finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,)"
            R"("total_tokens":5,"prompt_tokens_details":{"cached_tokens":1}}})");
}

TEST(ResponseWriter, WritesChatChunksWithEveryFieldClientsRead) {
  const ResponseWriter writer(Endpoint::kChatCompletions, "r1", "m", 1);
  EXPECT_EQ(DumpJson(writer.Role(Field::kNull, {})),
            R"({"id":"chatcmpl-r1","object":"chat.completion.chunk","created":1,"model":"m",)"
            R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)"
            R"("finish_reason":null}],"usage":null})");
  EXPECT_EQ(DumpJson(writer.Delta({"x"}, Field::kAbsent, {})["choices"][0]["delta"]),
            R"({"content":"x"})");
  EXPECT_EQ(DumpJson(writer.Finish("length", Field::kAbsent, {})["choices"][0]),
            R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"length"})");
  EXPECT_EQ(DumpJson(writer.UsageOnly({1, 2, 0})["choices"]), "[]");
}

TEST(ResponseWriter, AddsTokenIdsForWhoAsksForThem) {
  const ResponseWriter writer(Endpoint::kCompletions, "r1", "m", 1);
  const std::vector<int> ids = {4, 2};
  EXPECT_EQ(DumpJson(writer.Delta({"x", &ids}, Field::kAbsent, {})["choices"][0]["token_ids"]), "[4,2]");
  EXPECT_EQ(DumpJson(writer.Whole({"x", &ids}, "stop", {})["choices"][0]["token_ids"]), "[4,2]");
}

TEST(ResponseWriter, WritesCompletionsWithText) {
  const ResponseWriter writer(Endpoint::kCompletions, "r1", "m", 1);
  EXPECT_EQ(DumpJson(writer.Delta({"x"}, Field::kAbsent, {})["choices"][0]["text"]), R"("x")");
  EXPECT_EQ(writer.Whole({"x"}, "stop", {})["object"], "text_completion");
}

}  // namespace
}  // namespace hearth::api
