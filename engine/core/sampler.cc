#include "engine/core/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hearth::engine {
namespace {

// exp(-50) of a 256k vocabulary adds up to 5e-17 of the highest token's weight: less than the last
// of the 53 bits that the random number has.
constexpr double kNegligibleLogWeight = -50.0;

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which each input bit flips
// half of the output bits.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

struct Highest {
  float logit = -std::numeric_limits<float>::infinity();
  int id = -1;
};

// The lowest id of the highest logit; id -1 when there is none to draw.
Highest FindHighest(std::span<const float> logits) {
  Highest highest;
  bool has_nan = false;
  for (size_t id = 0; id < logits.size(); ++id) {
    has_nan |= std::isnan(logits[id]);
    if (logits[id] > highest.logit) highest = {logits[id], static_cast<int>(id)};
  }
  if (has_nan || std::isinf(highest.logit)) highest.id = -1;
  return highest;
}

}  // namespace

double RandomUniform(uint64_t seed, uint64_t position) {
  constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio, SplitMix64's step
  // Mixing the seed first keeps neighbouring seeds from sharing a shifted stream.
  const uint64_t bits = Mix(Mix(seed + kGolden) + (position + 1) * kGolden);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

std::optional<int> Sampler::Sample(std::span<const float> logits, const SamplerParams& params,
                                   uint64_t position) {
  const Highest highest = FindHighest(logits);
  if (highest.id < 0) return std::nullopt;
  if (params.temperature == 0 || params.top_k == 1) return highest.id;

  const size_t top_k = params.top_k <= 0 ? logits.size() : static_cast<size_t>(params.top_k);
  Collect(logits, highest.logit, params.temperature, top_k);
  double total = 0;
  for (Candidate& candidate : candidates_) {
    candidate.weight = std::exp(candidate.weight);
    total += candidate.weight;
  }
  if (params.top_p < 1) total = KeepNucleus(params.top_p * total);

  double rest = RandomUniform(params.seed, position) * total;
  for (const Candidate& candidate : candidates_) {
    rest -= candidate.weight;
    if (rest < 0) return candidate.id;
  }
  return candidates_.back().id;  // rounding alone gets here
}

std::optional<int> Sampler::SampleMasked(std::span<const float> logits,
                                         std::span<const int> masked_ids,
                                         const SamplerParams& params, uint64_t position) {
  masked_logits_.assign(logits.begin(), logits.end());
  for (const int id : masked_ids) {
    masked_logits_[static_cast<size_t>(id)] = -std::numeric_limits<float>::infinity();
  }
  return Sample(masked_logits_, params, position);
}

// Fills candidates_ with the top_k tokens, or with every token that is not negligible if these are
// fewer; weights are logarithms still. One pass over the vocabulary: whenever the buffer is full it
// is cut back to its best top_k, whose worst then is the mark to beat.
void Sampler::Collect(std::span<const float> logits, float highest, double temperature,
                      size_t top_k) {
  const size_t capacity = top_k < logits.size() / 4 ? std::max<size_t>(4 * top_k, 256)
                                                    : logits.size() + 1;
  const auto cut_to_top_k = [&] {
    const auto kth = candidates_.begin() + static_cast<std::ptrdiff_t>(top_k) - 1;
    std::nth_element(candidates_.begin(), kth, candidates_.end(), Before);
    candidates_.resize(top_k);
  };
  candidates_.clear();
  double mark = std::nextafter(kNegligibleLogWeight, -INFINITY);
  for (size_t id = 0; id < logits.size(); ++id) {
    const double weight = (static_cast<double>(logits[id]) - highest) / temperature;
    if (!(weight > mark)) continue;  // an equal weight loses to the lower id that set the mark
    candidates_.push_back({weight, static_cast<int>(id)});
    if (candidates_.size() == capacity) {
      cut_to_top_k();
      mark = candidates_.back().weight;
    }
  }
  if (candidates_.size() > top_k) cut_to_top_k();
}

// Cuts candidates_ to the fewest, best first, whose weights reach `wanted`, and returns their
// total. Sorts only as far as that takes: a few hundred tokens out of a vocabulary, usually.
double Sampler::KeepNucleus(double wanted) {
  const auto begin = candidates_.begin();
  size_t sorted = 0;
  size_t run = 64;
  double total = 0;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (i == sorted) {
      const size_t end = std::min(candidates_.size(), sorted + run);
      const auto first = begin + static_cast<std::ptrdiff_t>(sorted);
      const auto last = begin + static_cast<std::ptrdiff_t>(end);
      if (last != candidates_.end()) std::nth_element(first, last, candidates_.end(), Before);
      std::sort(first, last, Before);
      sorted = end;
      run *= 4;
    }
    total += candidates_[i].weight;
    if (total >= wanted) {
      candidates_.resize(i + 1);
      break;
    }
  }
  return total;
}

}  // namespace hearth::engine
