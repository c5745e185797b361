#include "firmware/cli/event_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/limits.h"

namespace hearth::cli {
namespace {

std::vector<std::string> Cut(const std::string& body, size_t piece_bytes) {
  std::vector<std::string> events;
  EventCutter cutter([&](std::string_view data) {
    events.emplace_back(data);
    return true;
  });
  for (size_t at = 0; at < body.size(); at += piece_bytes) {
    EXPECT_TRUE(cutter.Take(std::string_view(body).substr(at, piece_bytes)));
  }
  return events;
}

TEST(EventCutter, FindsTheSameEventsHoweverTheyCome) {
  const std::string body =
      ": a comment\n\ndata: {\"a\":1}\n\ndata:two\ndata: lines\r\n\r\nevent: x\ndata: [DONE]\n\n";
  const std::vector<std::string> expected = {"{\"a\":1}", "two\nlines", "[DONE]"};
  for (size_t piece_bytes = 1; piece_bytes <= body.size(); ++piece_bytes) {
    EXPECT_EQ(Cut(body, piece_bytes), expected) << piece_bytes << " bytes at a time";
  }
}

TEST(EventCutter, GivesNoEventThatHasNotEnded) {
  EXPECT_TRUE(Cut("data: half", 3).empty());
  EXPECT_TRUE(Cut("data: half\n", 3).empty());
}

TEST(EventCutter, StopsWhenItIsToldTo) {
  int events = 0;
  EventCutter cutter([&](std::string_view) { return ++events < 2; });
  EXPECT_FALSE(cutter.Take("data: 1\n\ndata: 2\n\ndata: 3\n\n"));
  EXPECT_EQ(events, 2);
}

TEST(EventCutter, EndsALineThatNeverEnds) {
  EventCutter cutter([](std::string_view) { return true; });
  const std::string megabyte(size_t{1} << 20, 'x');
  size_t taken = 0;
  while (cutter.Take(megabyte)) taken += megabyte.size();
  EXPECT_LE(taken, limits::kBodyBytesMax);
}

TEST(StreamedAnswer, GathersTextReasonAndUsage) {
  StreamedAnswer answer;
  EXPECT_EQ(answer.Add(R"({"choices":[{"delta":{"role":"assistant","content":""}}]})"), "");
  EXPECT_EQ(answer.Add(R"({"choices":[{"delta":{"content":"Hel"}}],"usage":null})"), "Hel");
  EXPECT_EQ(answer.Add(R"({"choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]})"), "lo");
  EXPECT_EQ(answer.Add(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,)"
                       R"("prompt_tokens_details":{"cached_tokens":4}}})"),
            "");
  EXPECT_FALSE(answer.is_whole);
  answer.Add("[DONE]");
  EXPECT_TRUE(answer.is_whole);
  EXPECT_EQ(answer.text, "Hello");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.prompt_tokens, 7);
  EXPECT_EQ(answer.completion_tokens, 2);
  EXPECT_EQ(answer.cached_tokens, 4);
  EXPECT_TRUE(answer.error.ok());
}

TEST(StreamedAnswer, KeepsAnErrorOfTheMiddle) {
  StreamedAnswer answer;
  answer.Add(R"({"choices":[{"delta":{"content":"Hel"}}]})");
  answer.Add(R"({"error":{"message":"the engine ended","code":500}})");
  EXPECT_EQ(answer.error.message(), "the engine ended");
  EXPECT_EQ(answer.text, "Hel");
  StreamedAnswer other;
  other.Add("{broken");
  EXPECT_EQ(other.error.code(), StatusCode::kDataLoss);
}

TEST(StreamedAnswer, SurvivesChunksOfOtherShapes) {
  StreamedAnswer answer;
  for (const char* chunk : {"[]", "1", "{\"choices\":3}", "{\"choices\":[1,{\"delta\":[]}]}",
                            "{\"choices\":[{\"delta\":{\"content\":5}}],\"usage\":[]}"}) {
    EXPECT_EQ(answer.Add(chunk), "") << chunk;
  }
  EXPECT_TRUE(answer.error.ok());
}

}  // namespace
}  // namespace hearth::cli
