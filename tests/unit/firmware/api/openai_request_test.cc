#include "firmware/api/openai_request.h"

#include <gtest/gtest.h>

namespace hearth::api {
namespace {

constexpr const char* kMessages = R"("messages":[{"role":"user","content":"hi"}])";

std::variant<OpenAiRequest, BadRequest> Chat(const std::string& fields) {
  return ParseOpenAiRequest(Endpoint::kChatCompletions,
                            std::string("{") + kMessages + (fields.empty() ? "" : ",") + fields + "}");
}

std::variant<OpenAiRequest, BadRequest> Completion(const std::string& body) {
  return ParseOpenAiRequest(Endpoint::kCompletions, body);
}

TEST(OpenAiRequest, ReadsEveryFieldItHonours) {
  const auto parsed = Chat(R"("model":"m","temperature":0.5,"top_p":0.9,"top_k":40,"seed":-7,
      "max_tokens":5,"stop":["a","b"],"stream":true,"stream_options":{"include_usage":true},
      "ignore_eos":true,"min_tokens":2,"stop_token_ids":[3])");
  ASSERT_TRUE(std::holds_alternative<OpenAiRequest>(parsed)) << std::get<BadRequest>(parsed).message;
  const auto& request = std::get<OpenAiRequest>(parsed);
  const auto& sampling = request.generate.sampling_params;
  EXPECT_EQ(request.model, "m");
  EXPECT_EQ(sampling.temperature, 0.5);
  EXPECT_EQ(sampling.top_p, 0.9);
  EXPECT_EQ(sampling.top_k, 40);
  EXPECT_EQ(sampling.seed, -7);
  EXPECT_EQ(sampling.max_tokens, 5);
  EXPECT_EQ(sampling.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(sampling.stop_token_ids, std::vector<int>{3});
  EXPECT_TRUE(request.stream && request.include_usage && sampling.ignore_eos);
  EXPECT_EQ(sampling.min_tokens, 2);
}

TEST(OpenAiRequest, PrefersTheNewerNameOfMaxTokens) {
  const auto parsed = Chat(R"("max_tokens":5,"max_completion_tokens":9)");
  EXPECT_EQ(std::get<OpenAiRequest>(parsed).generate.sampling_params.max_tokens, 9);
}

TEST(OpenAiRequest, IgnoresUnknownFieldsAndNeutralValues) {
  const auto parsed = Chat(R"("user":"u","x_custom":[1],"n":1,"logprobs":null,"repetition_penalty":1.0,
      "frequency_penalty":0,"response_format":{"type":"text"},"best_of":1)");
  EXPECT_TRUE(std::holds_alternative<OpenAiRequest>(parsed)) << std::get<BadRequest>(parsed).message;
}

struct BadCase {
  const char* fields;
  const char* param;
};

class BadField : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadField, IsRefusedByName) {
  const auto parsed = Chat(GetParam().fields);
  ASSERT_TRUE(std::holds_alternative<BadRequest>(parsed)) << GetParam().fields;
  EXPECT_EQ(std::get<BadRequest>(parsed).param, GetParam().param);
  EXPECT_NE(std::get<BadRequest>(parsed).message.find(GetParam().param), std::string::npos)
      << std::get<BadRequest>(parsed).message;
}

INSTANTIATE_TEST_SUITE_P(
    OpenAiRequest, BadField,
    ::testing::Values(
        BadCase{R"("temperature":"warm")", "temperature"}, BadCase{R"("temperature":-0.1)", "temperature"},
        BadCase{R"("temperature":1e308)", "temperature"}, BadCase{R"("top_p":0)", "top_p"},
        BadCase{R"("top_p":1.01)", "top_p"}, BadCase{R"("top_k":-2)", "top_k"},
        BadCase{R"("top_k":1.5)", "top_k"}, BadCase{R"("max_tokens":0)", "max_tokens"},
        BadCase{R"("max_tokens":2147483648)", "max_tokens"}, BadCase{R"("max_tokens":[1])", "max_tokens"},
        BadCase{R"("seed":9223372036854775808)", "seed"}, BadCase{R"("stream":"yes")", "stream"},
        BadCase{R"("stop":7)", "stop"}, BadCase{R"("stop":[""])", "stop"},
        BadCase{R"("stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"])",
                "stop"},
        BadCase{R"("stream_options":{"include_usage":true})", "stream_options"},
        BadCase{R"("stream":true,"stream_options":{"include_usage":1})", "stream_options.include_usage"},
        BadCase{R"("n":2)", "n"}, BadCase{R"("logprobs":true)", "logprobs"},
        BadCase{R"("tools":[{"type":"function"}])", "tools"},
        BadCase{R"("response_format":{"type":"json_object"})", "response_format"},
        BadCase{R"("model":5)", "model"}, BadCase{R"("stop_token_ids":[-1])", "stop_token_ids"},
        BadCase{R"("chat_template_kwargs":[])", "chat_template_kwargs"}));

TEST(OpenAiRequest, NamesTheMessageAtFault) {
  const auto parse = [](const char* body) {
    return std::get<BadRequest>(ParseOpenAiRequest(Endpoint::kChatCompletions, body)).param;
  };
  EXPECT_EQ(parse("{}"), "messages");
  EXPECT_EQ(parse(R"({"messages":[]})"), "messages");
  EXPECT_EQ(parse(R"({"messages":"hi"})"), "messages");
  EXPECT_EQ(parse(R"({"messages":[{"role":"user","content":"a"},7]})"), "messages[1]");
  EXPECT_EQ(parse(R"({"messages":[{"content":"a"}]})"), "messages[0].role");
}

TEST(OpenAiRequest, TakesAPromptInAllItsShapes) {
  const auto prompt = [](const char* body) {
    return std::get<OpenAiRequest>(Completion(body)).generate;
  };
  EXPECT_EQ(prompt(R"({"prompt":"a"})").prompt, "a");
  EXPECT_EQ(prompt(R"({"prompt":["a"]})").prompt, "a");
  EXPECT_EQ(prompt(R"({"prompt":[1,2]})").prompt_token_ids, (std::vector<int>{1, 2}));
  EXPECT_EQ(prompt(R"({"prompt":[[1,2]]})").prompt_token_ids, (std::vector<int>{1, 2}));
  for (const char* bad : {R"({})", R"({"prompt":["a","b"]})", R"({"prompt":[]})", R"({"prompt":{}})",
                          R"({"prompt":[-1]})", R"({"prompt":[99999999999]})"}) {
    const auto parsed = Completion(bad);
    ASSERT_TRUE(std::holds_alternative<BadRequest>(parsed)) << bad;
    EXPECT_EQ(std::get<BadRequest>(parsed).param, "prompt") << bad;
  }
}

TEST(OpenAiRequest, SaysWhereBrokenJsonBreaks) {
  const auto parsed = Completion(R"({"prompt":)");
  EXPECT_NE(std::get<BadRequest>(parsed).message.find("line 1"), std::string::npos);
}

}  // namespace
}  // namespace hearth::api
