#include "engine/core/block_manager.h"

#include "base/check.h"

namespace hearth::engine {

BlockManager::BlockManager(int num_blocks, int block_size)
    : block_size_(block_size), is_used_(static_cast<size_t>(num_blocks), false) {
  CHECK(num_blocks > 0) << num_blocks;
  CHECK(block_size > 0) << block_size;
  free_blocks_.reserve(is_used_.size());
  for (int block = num_blocks - 1; block >= 0; --block) free_blocks_.push_back(block);
}

bool BlockManager::Grow(std::vector<int>& block_table, int num_tokens) {
  const int missing = BlocksFor(num_tokens) - static_cast<int>(block_table.size());
  if (missing > num_free_blocks()) return false;
  for (int i = 0; i < missing; ++i) {
    const int block = free_blocks_.back();
    free_blocks_.pop_back();
    is_used_[static_cast<size_t>(block)] = true;
    block_table.push_back(block);
  }
  return true;
}

void BlockManager::Free(std::vector<int>& block_table) {
  // Backwards, so that the next sequence gets them in the same order.
  for (auto block = block_table.rbegin(); block != block_table.rend(); ++block) {
    CHECK(is_used_[static_cast<size_t>(*block)]) << "block " << *block << " is freed twice";
    is_used_[static_cast<size_t>(*block)] = false;
    free_blocks_.push_back(*block);
  }
  block_table.clear();
}

void BlockManager::CheckIntegrity(std::span<const std::vector<int>* const> block_tables) const {
  std::vector<int> seen(is_used_.size(), 0);
  const auto see = [&](int block, bool used) {
    CHECK(block >= 0 && block < num_blocks()) << "there is no block " << block;
    CHECK(is_used_[static_cast<size_t>(block)] == used) << "block " << block;
    CHECK(++seen[static_cast<size_t>(block)] == 1) << "block " << block << " has two owners";
  };
  for (const int block : free_blocks_) see(block, false);
  for (const std::vector<int>* table : block_tables) {
    for (const int block : *table) see(block, true);
  }
  for (size_t block = 0; block < seen.size(); ++block) {
    CHECK(seen[block] == 1) << "block " << block << " leaked: nobody holds it and it is not free";
  }
}

}  // namespace hearth::engine
