// Who holds which KV cache block. The keys and values themselves are the model's.
#pragma once

#include <span>
#include <vector>

namespace hearth::engine {

class BlockManager {
 public:
  // `block_size`: tokens of one block.
  BlockManager(int num_blocks, int block_size);

  int num_blocks() const { return static_cast<int>(is_used_.size()); }
  int num_free_blocks() const { return static_cast<int>(free_blocks_.size()); }
  int num_used_blocks() const { return num_blocks() - num_free_blocks(); }
  int block_size() const { return block_size_; }

  // Blocks that `num_tokens` tokens need.
  int BlocksFor(int num_tokens) const { return (num_tokens + block_size_ - 1) / block_size_; }

  // Appends to `block_table` what it lacks to hold `num_tokens`. False, with nothing changed, when
  // too few blocks are free.
  bool Grow(std::vector<int>& block_table, int num_tokens);

  // Gives every block back and empties the table.
  void Free(std::vector<int>& block_table);

  // CHECKs that each block is either free or in exactly one of `block_tables`.
  void CheckIntegrity(std::span<const std::vector<int>* const> block_tables) const;

 private:
  const int block_size_;
  std::vector<int> free_blocks_;  // a stack: the block freed last is warm in the caches
  std::vector<bool> is_used_;     // by block id
};

}  // namespace hearth::engine
