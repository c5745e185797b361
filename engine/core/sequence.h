// A sequence: one generation inside the engine, from its prompt to its last token.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth::engine {

// How a token is drawn from logits. Every field has its final value: defaults are settled before.
struct SamplerParams {
  double temperature = 1.0;  // 0 = greedy
  double top_p = 1.0;        // (0, 1]
  int top_k = 0;             // 0 = all
  uint64_t seed = 0;
};

enum class SequenceStatus {
  kWaiting,  // holds no block; also after a preemption
  kRunning,  // holds blocks for all its tokens
};

struct Sequence {
  uint64_t request_id = 0;
  uint64_t arrival = 0;        // order of arrival; given by the scheduler
  SequenceStatus status = SequenceStatus::kWaiting;

  std::vector<int> token_ids;  // the prompt, then what was generated
  int num_prompt_tokens = 0;
  int num_computed_tokens = 0;        // tokens whose keys and values are in the blocks
  std::vector<int> block_table;       // position p lives in block_table[p / block_size]
  int num_cached_blocks = 0;          // the first blocks of the table are in the prefix cache
  bool caches_blocks = true;          // puts there those that fill up
  int num_cached_tokens = 0;          // of the prompt, found there when first scheduled
  int num_counted_prompt_tokens = 0;  // prompt tokens that were found or StepStats has counted
  int num_preemptions = 0;

  SamplerParams sampler;
  int max_tokens = 0;               // at least 1
  int min_tokens = 0;               // until then no token below may be drawn
  std::vector<int> eos_token_ids;   // the model's; empty with ignore_eos
  std::vector<int> stop_token_ids;  // the request's own

  // CLOCK_MONOTONIC; 0 = not reached.
  double queued_time_s = 0;
  double scheduled_time_s = 0;
  double first_token_time_s = 0;
  double last_token_time_s = 0;

  int num_tokens() const { return static_cast<int>(token_ids.size()); }
  int num_generation_tokens() const { return num_tokens() - num_prompt_tokens; }
  // More than one during prefill; one, the token drawn last, in decode.
  int num_uncomputed_tokens() const { return num_tokens() - num_computed_tokens; }
};

}  // namespace hearth::engine
