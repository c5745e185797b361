#include "firmware/cli/bench_run.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hearth::cli {
namespace {

TEST(Arrivals, ComeAtTheRateAndAscend) {
  const auto arrivals = Arrivals(20'000, 50, 7);
  ASSERT_EQ(arrivals.size(), 20'000u);
  EXPECT_EQ(arrivals.front(), 0);
  EXPECT_TRUE(std::is_sorted(arrivals.begin(), arrivals.end()));
  // The mean of 20,000 exponential gaps is within 3 % with near certainty (4 standard errors).
  EXPECT_NEAR(arrivals.back(), 400, 12);
}

TEST(Arrivals, HaveTheGapsOfIndependentClients) {
  const auto arrivals = Arrivals(20'000, 1, 3);
  int64_t longer_than_the_mean = 0;
  for (size_t i = 1; i < arrivals.size(); ++i) {
    longer_than_the_mean += arrivals[i] - arrivals[i - 1] > 1 ? 1 : 0;
  }
  // exp(-1) of them; a fixed pace would have none or all.
  EXPECT_NEAR(static_cast<double>(longer_than_the_mean) / 20'000, 0.3679, 0.015);
}

TEST(Arrivals, AreTheSameForOneSeed) {
  EXPECT_EQ(Arrivals(100, 5, 1), Arrivals(100, 5, 1));
  EXPECT_NE(Arrivals(100, 5, 1), Arrivals(100, 5, 2));
  EXPECT_EQ(Arrivals(3, 0, 1), (std::vector<double>{0, 0, 0})) << "without a rate nobody waits";
  EXPECT_TRUE(Arrivals(0, 5, 1).empty());
}

TEST(PromptOfWords, HasThatManyAndBeginsDifferently) {
  const std::string one = PromptOfWords(100, 1);
  EXPECT_EQ(std::count(one.begin(), one.end(), ' '), 99);
  const std::string other = PromptOfWords(100, 2);
  EXPECT_NE(one.substr(0, one.find(' ')), other.substr(0, other.find(' ')));
  EXPECT_EQ(PromptOfWords(100, 1), one);
}

TEST(WordsFor, GoesThroughBothCounts) {
  // 20 tokens of a template and 1.5 a word.
  EXPECT_EQ(*WordsFor(128, {8, 32}, {72, 128}), 72);
  EXPECT_EQ(*WordsFor(32, {8, 32}, {72, 128}), 8);
  EXPECT_EQ(*WordsFor(1520, {8, 32}, {72, 128}), 1000);
}

TEST(WordsFor, RefusesWhatTheTemplateAloneExceeds) {
  const auto words = WordsFor(20, {8, 32}, {72, 128});
  EXPECT_EQ(words.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(words.status().message(),
            "--prompt-tokens 20 is less than a prompt of one word takes, about 22");
  EXPECT_EQ(WordsFor(100, {8, 0}, {72, 0}).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hearth::cli
