#include "engine/core/prefix_cache.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace hearth::engine {

// Each round is a bijection of the state for a given token (an odd factor, then a xor-shift), as in
// splitmix64: blocks that differ in one token only never collide.
uint64_t HashBlock(uint64_t parent_hash, std::span<const int> token_ids) {
  uint64_t hash = parent_hash + 0x9E3779B97F4A7C15u;
  for (const int token_id : token_ids) {
    hash = (hash ^ static_cast<uint32_t>(token_id)) * 0xBF58476D1CE4E5B9u;
    hash ^= hash >> 31;
  }
  return hash;
}

PrefixCache::PrefixCache(int num_blocks, int block_size, BlockHash hash)
    : block_size_(block_size),
      hash_(hash),
      entries_(static_cast<size_t>(num_blocks)),
      token_ids_(entries_.size() * static_cast<size_t>(block_size)),
      buckets_(std::bit_ceil(entries_.size()), kNoBlock) {}

std::span<const int> PrefixCache::token_ids(int block) const {
  const auto size = static_cast<size_t>(block_size_);
  return std::span(token_ids_).subspan(static_cast<size_t>(block) * size, size);
}

uint64_t PrefixCache::HashOf(int parent, std::span<const int> token_ids) const {
  return hash_(parent == kNoBlock ? 0 : entry(parent).hash, token_ids);
}

int PrefixCache::Find(int parent, std::span<const int> token_ids) const {
  const uint64_t hash = HashOf(parent, token_ids);
  int block = bucket(hash);
  for (; block != kNoBlock; block = entry(block).next_in_bucket) {
    if (entry(block).hash == hash && entry(block).parent == parent &&
        std::ranges::equal(this->token_ids(block), token_ids)) {
      break;
    }
  }
  return block;
}

void PrefixCache::Insert(int block, int parent, std::span<const int> token_ids) {
  CHECK(!Contains(block)) << "block " << block << " is cached already";
  CHECK(token_ids.size() == static_cast<size_t>(block_size_)) << token_ids.size();
  if (parent != kNoBlock) {
    CHECK(Contains(parent)) << "block " << parent << ", the parent of " << block;
    ++entry(parent).num_children;
  }
  const uint64_t hash = HashOf(parent, token_ids);
  entry(block) = {.cached = true, .parent = parent, .next_in_bucket = bucket(hash), .hash = hash};
  bucket(hash) = block;
  std::ranges::copy(token_ids, token_ids_.begin() + std::ptrdiff_t{block} * block_size_);
  ++size_;
}

void PrefixCache::Erase(int block) {
  const Entry erased = entry(block);
  CHECK(erased.cached) << "block " << block;
  CHECK(erased.num_children == 0) << "block " << block << " is the parent of cached blocks";
  if (erased.parent != kNoBlock) --entry(erased.parent).num_children;
  int* link = &bucket(erased.hash);
  while (*link != block) link = &entry(*link).next_in_bucket;
  *link = erased.next_in_bucket;
  entry(block) = {};
  --size_;
}

void PrefixCache::Clear() {
  std::ranges::fill(entries_, Entry{});
  std::ranges::fill(buckets_, kNoBlock);
  size_ = 0;
}

void PrefixCache::CheckIntegrity() const {
  std::vector<int> num_children(entries_.size(), 0);
  int num_cached = 0;
  for (int block = 0; block < static_cast<int>(entries_.size()); ++block) {
    if (!Contains(block)) continue;
    ++num_cached;
    const int parent = entry(block).parent;
    CHECK(Find(parent, token_ids(block)) == block) << "block " << block << " is not found";
    if (parent == kNoBlock) continue;
    CHECK(Contains(parent)) << "block " << parent << ", the parent of " << block;
    ++num_children[static_cast<size_t>(parent)];
  }
  CHECK(num_cached == size_) << num_cached << " of " << size_;
  int num_chained = 0;
  for (int block : buckets_) {
    for (; block != kNoBlock; block = entry(block).next_in_bucket) ++num_chained;
  }
  CHECK(num_chained == size_) << num_chained << " of " << size_;
  for (size_t block = 0; block < entries_.size(); ++block) {
    CHECK(entries_[block].num_children == num_children[block]) << "block " << block;
  }
}

}  // namespace hearth::engine
