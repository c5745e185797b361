// Draws the next token from logits.
//
// The result depends on nothing but the logits, the parameters and `position`: the random number is
// a function of (seed, position), so neither the batch nor a preemption can change a token.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/sequence.h"

namespace hearth::engine {

// A number in [0, 1) with 53 random bits, a pure function of its arguments.
double RandomUniform(uint64_t seed, uint64_t position);

// Owns scratch memory that calls reuse: one per thread.
class Sampler {
 public:
  // `logits` [vocab_size]; `position` counts the generated tokens of the sequence, from 0. In
  // vLLM's order: temperature, then top_k, then top_p of what is left. Ties go to the lowest id.
  // Empty when no token can be drawn: a NaN or +inf among the logits, or -inf everywhere.
  std::optional<int> Sample(std::span<const float> logits, const SamplerParams& params,
                            uint64_t position);

  // The same with `masked_ids` (inside the vocabulary) impossible to draw.
  std::optional<int> SampleMasked(std::span<const float> logits, std::span<const int> masked_ids,
                                  const SamplerParams& params, uint64_t position);

 private:
  struct Candidate {
    double weight;  // first (logit - highest logit) / temperature, then exp of it
    int id;
  };
  static bool Before(const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
  }

  void Collect(std::span<const float> logits, float highest, double temperature, size_t top_k);
  double KeepNucleus(double wanted);

  std::vector<Candidate> candidates_;
  std::vector<float> masked_logits_;
};

}  // namespace hearth::engine
