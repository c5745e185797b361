// How many KV blocks a model gets.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace hearth::engine {

struct KvCacheBudget {
  int64_t kv_cache_bytes = 0;     // asked for; 0 = half of the free memory
  int64_t free_memory_bytes = 0;  // with the weights loaded
  int64_t bytes_per_block = 0;    // of all layers
  int block_size = 0;             // tokens
  int max_model_len = 0;          // tokens
  int max_num_seqs = 0;
};

// At most what max_num_seqs sequences of max_model_len tokens can fill. kResourceExhausted, with
// both figures, when the memory does not hold one sequence of max_model_len.
Result<int> NumKvBlocks(const KvCacheBudget& budget);

}  // namespace hearth::engine
