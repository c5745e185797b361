#include "engine/model/kv_cache_size.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>

namespace hearth::engine {
namespace {

std::string Gib(int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f GiB", static_cast<double>(bytes) / 0x1p30);
  return text;
}

}  // namespace

Result<int> NumKvBlocks(const KvCacheBudget& budget) {
  const int64_t per_sequence =
      (int64_t{budget.max_model_len} + budget.block_size - 1) / budget.block_size;
  const int64_t needed = per_sequence * budget.bytes_per_block;
  const bool automatic = budget.kv_cache_bytes == 0;
  const int64_t granted = automatic ? budget.free_memory_bytes / 2 : budget.kv_cache_bytes;
  if (granted > budget.free_memory_bytes) {
    return ResourceExhausted("kv_cache_bytes asks for " + Gib(granted) + ", but only " +
                             Gib(budget.free_memory_bytes) + " of memory are free; lower it");
  }
  if (granted < needed) {
    return ResourceExhausted(
        "the KV cache of one sequence of max_model_len " + std::to_string(budget.max_model_len) +
        " tokens needs " + Gib(needed) + ", but it may take " + Gib(granted) +
        (automatic ? " (half of the free memory); lower max_model_len or free memory"
                   : "; raise kv_cache_bytes or lower max_model_len"));
  }
  const int64_t useful = per_sequence * budget.max_num_seqs;
  return static_cast<int>(std::min(
      {granted / budget.bytes_per_block, useful, int64_t{std::numeric_limits<int>::max()}}));
}

}  // namespace hearth::engine
