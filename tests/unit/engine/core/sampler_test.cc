#include "engine/core/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

namespace hearth::engine {
namespace {

std::vector<float> RandomLogits(size_t vocab_size, unsigned seed, float spread) {
  std::mt19937 random(seed);
  std::vector<float> logits(vocab_size);
  for (float& logit : logits) {
    logit = spread * (static_cast<float>(random() >> 8) * 0x1p-24f - 0.5f);
  }
  return logits;
}

// The distribution by definition: a full sort, everything in double.
std::vector<double> ExactProbabilities(const std::vector<float>& logits, double temperature,
                                       double top_p, int top_k) {
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  if (top_k > 0) order.resize(std::min(order.size(), static_cast<size_t>(top_k)));
  std::vector<double> probabilities(logits.size(), 0);
  const auto normalize = [&] {
    double total = 0;
    for (const size_t id : order) total += probabilities[id];
    for (const size_t id : order) probabilities[id] /= total;
  };
  for (const size_t id : order) {
    probabilities[id] =
        std::exp((static_cast<double>(logits[id]) - logits[order[0]]) / temperature);
  }
  normalize();
  double mass = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    mass += probabilities[order[rank]];
    if (mass < top_p) continue;
    for (size_t i = rank + 1; i < order.size(); ++i) probabilities[order[i]] = 0;
    order.resize(rank + 1);
    break;
  }
  normalize();
  return probabilities;
}

// Pearson's statistic of `num_draws` draws; tokens expected fewer than 10 times share one bin, as
// the approximation by chi-square asks for. Also fails on any token of probability zero.
void ExpectDraws(const std::vector<float>& logits, const SamplerParams& params, int num_draws) {
  const auto exact =
      ExactProbabilities(logits, params.temperature, params.top_p, params.top_k);
  Sampler sampler;
  std::vector<int> counts(logits.size(), 0);
  for (int i = 0; i < num_draws; ++i) {
    const auto token = sampler.Sample(logits, params, static_cast<uint64_t>(i));
    ASSERT_TRUE(token.has_value());
    ++counts[static_cast<size_t>(*token)];
  }
  double statistic = 0;
  double rare_expected = 0, rare_count = 0;
  int degrees = -1;
  const auto add_bin = [&](double expected, double count) {
    statistic += (count - expected) * (count - expected) / expected;
    ++degrees;
  };
  for (size_t id = 0; id < logits.size(); ++id) {
    const double expected = exact[id] * num_draws;
    if (exact[id] == 0) {
      EXPECT_EQ(counts[id], 0) << "token " << id << " is cut off";
    }
    if (expected >= 10) {
      add_bin(expected, counts[id]);
    } else {
      rare_expected += expected;
      rare_count += counts[id];
    }
  }
  if (rare_expected >= 10) add_bin(rare_expected, rare_count);
  ASSERT_GE(degrees, 1);
  // Mean + 5 standard deviations of the chi-square distribution.
  EXPECT_LT(statistic, degrees + 5 * std::sqrt(2.0 * degrees));
}

TEST(Sampler, DrawsByTheSoftmaxOfTheTemperature) {
  const auto logits = RandomLogits(50, 1, 8);
  for (const double temperature : {0.3, 1.0, 2.5}) {
    SCOPED_TRACE(temperature);
    ExpectDraws(logits, {.temperature = temperature, .seed = 11}, 100'000);
  }
}

TEST(Sampler, KeepsTheTopKAndTheirProportions) {
  const auto logits = RandomLogits(1'500, 2, 8);  // k is below and above the size of the buffer
  for (const int top_k : {2, 64, 300, 2'000}) {
    SCOPED_TRACE(top_k);
    ExpectDraws(logits, {.temperature = 0.8, .top_k = top_k, .seed = 12}, 20'000);
  }
}

TEST(Sampler, KeepsTheSmallestNucleus) {
  const auto logits = RandomLogits(600, 3, 10);
  for (const double top_p : {0.05, 0.5, 0.9, 0.999}) {
    SCOPED_TRACE(top_p);
    ExpectDraws(logits, {.temperature = 1.0, .top_p = top_p, .seed = 13}, 30'000);
  }
}

TEST(Sampler, AppliesTopKBeforeTopP) {
  const auto logits = RandomLogits(500, 4, 6);
  ExpectDraws(logits, {.temperature = 0.7, .top_p = 0.8, .top_k = 20, .seed = 14}, 30'000);
}

TEST(Sampler, IsGreedyAtTemperatureZeroWithTiesToTheLowestId) {
  Sampler sampler;
  const std::vector<float> logits = {1, 3, 2, 3, -5};
  EXPECT_EQ(sampler.Sample(logits, {.temperature = 0}, 0), 1);
  EXPECT_EQ(sampler.Sample(logits, {.temperature = 1, .top_k = 1}, 7), 1);
  EXPECT_EQ(sampler.Sample(logits, {.temperature = 1e-9, .top_p = 1e-9}, 7), 1);
}

TEST(Sampler, GivesTheLowestIdsWhenTiesStraddleTheTopK) {
  Sampler sampler;
  const std::vector<float> logits(1'000, 0.5f);
  std::map<int, int> counts;
  for (uint64_t i = 0; i < 400; ++i) ++counts[*sampler.Sample(logits, {.top_k = 5, .seed = 3}, i)];
  EXPECT_EQ(counts.size(), 5u);
  EXPECT_EQ(counts.rbegin()->first, 4);
}

TEST(Sampler, DependsOnNothingButLogitsParametersAndPosition) {
  const auto logits = RandomLogits(3'000, 5, 9);
  const auto other = RandomLogits(7'000, 6, 9);
  const SamplerParams params{.temperature = 1.1, .top_p = 0.95, .top_k = 100, .seed = 42};
  Sampler alone, busy;
  int num_differences = 0;
  for (uint64_t position = 0; position < 500; ++position) {
    busy.Sample(other, {.temperature = 2, .seed = position}, position);
    const auto token = alone.Sample(logits, params, position);
    EXPECT_EQ(busy.Sample(logits, params, position), token);
    SamplerParams reseeded = params;
    reseeded.seed = 43;
    num_differences += alone.Sample(logits, reseeded, position) != token;
  }
  EXPECT_GT(num_differences, 250);
}

TEST(Sampler, NeverDrawsAMaskedToken) {
  Sampler sampler;
  const std::vector<float> logits = {5, 4, 3};
  const int masked[] = {0};
  EXPECT_EQ(sampler.SampleMasked(logits, masked, {.temperature = 0}, 0), 1);
  for (uint64_t i = 0; i < 200; ++i) {
    EXPECT_NE(sampler.SampleMasked(logits, masked, {.temperature = 2}, i), 0);
  }
  const int all[] = {0, 1, 2};
  EXPECT_EQ(sampler.SampleMasked(logits, all, {}, 0), std::nullopt);
}

TEST(Sampler, RefusesLogitsThatAreNoNumbers) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Sampler sampler;
  for (const double temperature : {0.0, 1.0}) {
    const SamplerParams params{.temperature = temperature};
    EXPECT_EQ(sampler.Sample(std::vector<float>{1, kNan, 2}, params, 0), std::nullopt);
    EXPECT_EQ(sampler.Sample(std::vector<float>{1, kInfinity}, params, 0), std::nullopt);
    EXPECT_EQ(sampler.Sample(std::vector<float>{-kInfinity, -kInfinity}, params, 0), std::nullopt);
    EXPECT_EQ(sampler.Sample(std::vector<float>{-kInfinity, 1}, params, 0), 1);
  }
}

TEST(RandomUniform, IsUniformAndUncorrelatedBetweenNeighbours) {
  constexpr int kBins = 64;
  constexpr int kDraws = 64'000;
  // Along the positions of one seed, and along the seeds of one position.
  for (const bool by_seed : {false, true}) {
    std::vector<int> counts(kBins * kBins, 0);
    const auto draw = [&](uint64_t i) {
      return by_seed ? RandomUniform(i, 0) : RandomUniform(0, i);
    };
    for (uint64_t i = 0; i < kDraws; ++i) {
      const double first = draw(i), second = draw(i + 1);
      ASSERT_GE(first, 0);
      ASSERT_LT(first, 1);
      ++counts[static_cast<size_t>(first * kBins) * kBins + static_cast<size_t>(second * kBins)];
    }
    const double expected = static_cast<double>(kDraws) / (kBins * kBins);
    double statistic = 0;
    for (const int count : counts) statistic += (count - expected) * (count - expected) / expected;
    const double degrees = kBins * kBins - 1;
    EXPECT_LT(std::abs(statistic - degrees), 5 * std::sqrt(2 * degrees));
  }
}

}  // namespace
}  // namespace hearth::engine
