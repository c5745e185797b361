#include "engine/core/block_manager.h"

#include "base/check.h"

namespace hearth::engine {

// The order of eviction keeps the prefix cache a tree: whoever holds a block holds its parent too
// and gives it back after the child, so a parent is never evicted before its children.

BlockManager::BlockManager(int num_blocks, int block_size, bool enable_prefix_caching,
                           BlockHash hash)
    : block_size_(block_size),
      enable_prefix_caching_(enable_prefix_caching),
      prefix_cache_(num_blocks, block_size, hash),
      ref_counts_(static_cast<size_t>(num_blocks), 0),
      unheld_(num_blocks) {
  CHECK(num_blocks > 0) << num_blocks;
  CHECK(block_size > 0) << block_size;
  empty_blocks_.reserve(ref_counts_.size());
  for (int block = num_blocks - 1; block >= 0; --block) empty_blocks_.push_back(block);
}

std::optional<int> BlockManager::Allocate(std::vector<int>& block_table,
                                          std::span<const int> token_ids) {
  CHECK(block_table.empty() && !token_ids.empty());
  const auto size = static_cast<size_t>(block_size_);
  int num_unheld = 0;
  if (enable_prefix_caching_) {
    int parent = kNoBlock;
    for (size_t first = 0; first + size < token_ids.size(); first += size) {
      const int block = prefix_cache_.Find(parent, token_ids.subspan(first, size));
      if (block == kNoBlock) break;
      num_unheld += ref_count(block) == 0 ? 1 : 0;
      block_table.push_back(block);
      parent = block;
    }
  }
  const int num_found = static_cast<int>(block_table.size());
  const int num_tokens = static_cast<int>(token_ids.size());
  if (num_unheld + BlocksFor(num_tokens) - num_found > num_free_blocks()) {
    block_table.clear();
    return std::nullopt;
  }
  for (const int block : block_table) Hold(block);
  CHECK(Grow(block_table, num_tokens));
  return num_found * block_size_;
}

bool BlockManager::Grow(std::vector<int>& block_table, int num_tokens) {
  const int missing = BlocksFor(num_tokens) - static_cast<int>(block_table.size());
  if (missing > num_free_blocks()) return false;
  for (int i = 0; i < missing; ++i) block_table.push_back(TakeFree());
  return true;
}

int BlockManager::CacheFullBlocks(std::vector<int>& block_table, int num_cached_blocks,
                                  std::span<const int> computed) {
  if (!enable_prefix_caching_) return 0;
  const auto size = static_cast<size_t>(block_size_);
  auto index = static_cast<size_t>(num_cached_blocks);
  for (; (index + 1) * size <= computed.size(); ++index) {
    const int block = block_table[index];
    const int parent = index == 0 ? kNoBlock : block_table[index - 1];
    const auto token_ids = computed.subspan(index * size, size);
    const int cached = prefix_cache_.Find(parent, token_ids);
    if (cached == kNoBlock) {
      prefix_cache_.Insert(block, parent, token_ids);
    } else if (cached != block) {
      Hold(cached);
      Release(block);
      block_table[index] = cached;
    }
  }
  return static_cast<int>(index);
}

void BlockManager::Free(std::vector<int>& block_table) {
  // Backwards: children before their parents, and the next sequence gets the order of this one.
  for (auto block = block_table.rbegin(); block != block_table.rend(); ++block) Release(*block);
  block_table.clear();
}

void BlockManager::ResetPrefixCache() {
  prefix_cache_.Clear();
  while (unheld_.size() > 0) {
    empty_blocks_.push_back(unheld_.First());
    unheld_.Remove(unheld_.First());
  }
}

int BlockManager::TakeFree() {
  int block = kNoBlock;
  if (!empty_blocks_.empty()) {
    block = empty_blocks_.back();
    empty_blocks_.pop_back();
  } else {
    block = unheld_.First();
    unheld_.Remove(block);
    prefix_cache_.Erase(block);
  }
  ref_count(block) = 1;
  return block;
}

void BlockManager::Hold(int block) {
  if (ref_count(block)++ == 0) unheld_.Remove(block);
}

void BlockManager::Release(int block) {
  CHECK(ref_count(block) > 0) << "block " << block << " is freed twice";
  if (--ref_count(block) > 0) return;
  if (prefix_cache_.Contains(block)) {
    unheld_.PushBack(block);
  } else {
    empty_blocks_.push_back(block);
  }
}

void BlockManager::CheckIntegrity(std::span<const std::vector<int>* const> block_tables) const {
  prefix_cache_.CheckIntegrity();
  std::vector<int> holders(ref_counts_.size(), 0);
  for (const std::vector<int>* table : block_tables) {
    for (const int block : *table) {
      CHECK(block >= 0 && block < num_blocks()) << "there is no block " << block;
      ++holders[static_cast<size_t>(block)];
    }
  }
  std::vector<int> times_free(ref_counts_.size(), 0);
  for (const int block : empty_blocks_) {
    ++times_free[static_cast<size_t>(block)];
    CHECK(!prefix_cache_.Contains(block)) << "block " << block;
  }
  std::vector<bool> evicted(ref_counts_.size(), false);
  for (int block = unheld_.First(); block != unheld_.End(); block = unheld_.Next(block)) {
    ++times_free[static_cast<size_t>(block)];
    CHECK(prefix_cache_.Contains(block)) << "block " << block;
    evicted[static_cast<size_t>(block)] = true;
    const int parent = prefix_cache_.parent(block);
    CHECK(parent == kNoBlock || !evicted[static_cast<size_t>(parent)])
        << "block " << parent << " would be evicted before its child " << block;
  }
  for (int block = 0; block < num_blocks(); ++block) {
    CHECK(holders[static_cast<size_t>(block)] == ref_count(block))
        << "block " << block << " is held by " << holders[static_cast<size_t>(block)]
        << " and counted " << ref_count(block) << " times";
    CHECK(times_free[static_cast<size_t>(block)] == (ref_count(block) == 0 ? 1 : 0))
        << "block " << block << " is held by " << ref_count(block) << " and free "
        << times_free[static_cast<size_t>(block)] << " times";
    const int parent = prefix_cache_.Contains(block) ? prefix_cache_.parent(block) : kNoBlock;
    CHECK(parent == kNoBlock || ref_count(parent) >= ref_count(block))
        << "block " << block << " is held more often than its parent " << parent;
  }
}

}  // namespace hearth::engine
