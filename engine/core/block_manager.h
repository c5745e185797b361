// Who holds which KV cache block. The keys and values themselves are the model's.
//
// Sequences whose prompts begin alike share the blocks of what they have in common. A block that
// nobody holds is free, but its content stays in the prefix cache until the block is needed: empty
// blocks are given out first, then the one that was left longest ago.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/core/lru_list.h"
#include "engine/core/prefix_cache.h"

namespace hearth::engine {

class BlockManager {
 public:
  // `block_size`: tokens of one block. Without prefix caching nothing is ever found or shared.
  BlockManager(int num_blocks, int block_size, bool enable_prefix_caching = true,
               BlockHash hash = &HashBlock);

  int num_blocks() const { return static_cast<int>(ref_counts_.size()); }
  int num_free_blocks() const { return static_cast<int>(empty_blocks_.size()) + unheld_.size(); }
  int num_used_blocks() const { return num_blocks() - num_free_blocks(); }  // that somebody holds
  int block_size() const { return block_size_; }
  const PrefixCache& prefix_cache() const { return prefix_cache_; }

  // Blocks that `num_tokens` tokens need.
  int BlocksFor(int num_tokens) const { return (num_tokens + block_size_ - 1) / block_size_; }

  // Fills the empty `block_table` so that it holds `token_ids`, with cached blocks for as many of
  // the first of them as are found, and gives the number of these tokens: whole blocks, and never
  // the last token, which must be computed for its logits. Nothing, with nothing changed, when too
  // few blocks are free.
  std::optional<int> Allocate(std::vector<int>& block_table, std::span<const int> token_ids);

  // Appends to `block_table` what it lacks to hold `num_tokens`. False, with nothing changed, when
  // too few blocks are free.
  bool Grow(std::vector<int>& block_table, int num_tokens);

  // Puts the full blocks of `computed`, tokens whose keys and values are all in the blocks of
  // `block_table`, into the prefix cache. The first `num_cached_blocks` are in it already; returns
  // how many are now. A block whose content another sequence has cached meanwhile is given up for
  // that one: its keys and values are bitwise the same, and each content has one block.
  int CacheFullBlocks(std::vector<int>& block_table, int num_cached_blocks,
                      std::span<const int> computed);

  // Gives every block back and empties the table. Those that are cached stay so.
  void Free(std::vector<int>& block_table);

  // Forgets what every block holds. Holders keep their blocks, but may cache them no more: blocks
  // that they share would come to have one parent in the cache and another in a table.
  void ResetPrefixCache();

  // CHECKs that each block is held as often as it is counted, in `block_tables` and nowhere else,
  // and that those which nobody holds can be given out, children before their parents.
  void CheckIntegrity(std::span<const std::vector<int>* const> block_tables) const;

 private:
  int& ref_count(int block) { return ref_counts_[static_cast<size_t>(block)]; }
  int ref_count(int block) const { return ref_counts_[static_cast<size_t>(block)]; }
  int TakeFree();
  void Hold(int block);
  void Release(int block);

  const int block_size_;
  const bool enable_prefix_caching_;
  PrefixCache prefix_cache_;
  std::vector<int> ref_counts_;    // by block: how many sequences hold it
  std::vector<int> empty_blocks_;  // free, not cached; a stack: the last one is warm in the caches
  LruList unheld_;                 // free, cached
};

}  // namespace hearth::engine
