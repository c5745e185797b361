#include "engine/worker/output_processor.h"

#include <gtest/gtest.h>

namespace hearth::engine {
namespace {

class OutputProcessorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto tokenizer = Tokenizer::Load("packaging/demo-model/model");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    tokenizer_ = *std::move(tokenizer);
    processor_ = std::make_unique<OutputProcessor>(
        tokenizer_.get(), [this](uint64_t request_id) { ended_.push_back(request_id); });
  }

  // A step at `time_s` in which each of `tokens` was drawn for request 1.
  protocol::StepOutput Step(double time_s, int token_id, const std::string& finish_reason = "") {
    StepResult result;
    result.stats.time_s = time_s;
    result.stats.num_generation_tokens = 1;
    result.tokens.push_back({1, token_id, 0.5, 8, 2});
    if (!finish_reason.empty()) {
      protocol::FinishedRequest finished;
      finished.request_id = 1;
      finished.finish_reason = finish_reason;
      finished.num_cached_tokens = 8;
      result.finished.push_back(finished);
    }
    return processor_->Process(result);
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<OutputProcessor> processor_;
  std::vector<uint64_t> ended_;
};

TEST_F(OutputProcessorTest, CountsNoTokenDrawnAfterTheStopString) {
  const std::vector<int> ids = tokenizer_->Encode("a b", false);
  const int last = ids.back();
  processor_->Add({.request_id = 1, .num_prompt_tokens = 9, .stop = {"b"}, .queued_time_s = 0.25});
  for (size_t i = 0; i + 1 < ids.size(); ++i) EXPECT_TRUE(Step(1, ids[i]).finished.empty());
  const protocol::StepOutput stopped = Step(2, last);
  ASSERT_EQ(stopped.finished.size(), 1u);
  const protocol::FinishedRequest& finished = stopped.finished[0];
  EXPECT_EQ(finished.finish_reason, "stop");
  EXPECT_EQ(finished.stop_reason, "b");
  EXPECT_EQ(finished.num_prompt_tokens, 9);
  EXPECT_EQ(finished.num_generation_tokens, static_cast<int>(ids.size()));
  EXPECT_EQ(stopped.deltas[0].num_cached_tokens, 8);
  EXPECT_EQ(finished.num_cached_tokens, 8);
  EXPECT_EQ(finished.num_preemptions, 2);
  EXPECT_EQ(finished.queued_time_s, 0.25);
  EXPECT_EQ(finished.scheduled_time_s, 0.5);
  EXPECT_EQ(finished.first_token_time_s, 1);
  EXPECT_EQ(finished.last_token_time_s, 2);
  EXPECT_EQ(ended_, std::vector<uint64_t>{1});

  // The loop was a step ahead, and even thinks that the request ended otherwise.
  const protocol::StepOutput late = Step(3, last, "length");
  EXPECT_TRUE(late.deltas.empty());
  EXPECT_TRUE(late.finished.empty());
  EXPECT_EQ(late.stats.num_generation_tokens, 0);
  EXPECT_EQ(processor_->num_requests(), 0u);
}

TEST_F(OutputProcessorTest, LooksForStopStringsOnlyAfterMinTokens) {
  const int letter = *tokenizer_->TokenId("b");
  processor_->Add({.request_id = 1, .min_tokens = 2, .stop = {"b"}});
  EXPECT_EQ(Step(1, letter).deltas[0].text, "b");
  EXPECT_EQ(Step(2, letter).deltas[0].text, "b");
  EXPECT_EQ(Step(3, letter).finished.size(), 1u);
}

TEST_F(OutputProcessorTest, ReleasesHeldBackTextAtTheEnd) {
  const int letter = *tokenizer_->TokenId("b");
  processor_->Add({.request_id = 1, .stop = {"bbbb"}});
  EXPECT_EQ(Step(1, letter).deltas[0].text, "");
  const protocol::StepOutput output = Step(2, letter, "length");
  EXPECT_EQ(output.deltas[0].text, "bb");
  EXPECT_EQ(output.finished[0].finish_reason, "length");
}

TEST_F(OutputProcessorTest, KeepsTheTokenThatEndedTheSequenceOutOfTheText) {
  const int letter = *tokenizer_->TokenId("b");
  for (const bool include : {false, true}) {
    processor_->Add({.request_id = 1, .stop = {}, .include_stop_str_in_output = include});
    const protocol::StepOutput output = Step(1, letter, "stop");
    EXPECT_EQ(output.deltas[0].text, include ? "b" : "");
    EXPECT_EQ(output.deltas[0].token_ids, std::vector<int>{letter});
  }
}

}  // namespace
}  // namespace hearth::engine
