// Which KV blocks hold the keys and values of which tokens, so that a prompt finds what an earlier
// one computed.
//
// A cached block is full. It is known by its parent, the cached block of the tokens before its own,
// and by its token ids: the blocks are a tree, and the path to a block spells a prompt from its
// first token on. A hash of both leads to a block, but only their comparison makes it a hit. The
// parent was compared the same way before, so a hit vouches for the whole prefix, and colliding
// hashes cost time, never a wrong key or value.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hearth::engine {

inline constexpr int kNoBlock = -1;

// Hash of a block from its parent's (0 for the first block of a prompt) and its token ids.
using BlockHash = uint64_t (*)(uint64_t parent_hash, std::span<const int> token_ids);
uint64_t HashBlock(uint64_t parent_hash, std::span<const int> token_ids);

// Knows contents, not who holds them. Finding and changing allocate nothing.
class PrefixCache {
 public:
  // For the block numbers [0, num_blocks) of `block_size` tokens each.
  PrefixCache(int num_blocks, int block_size, BlockHash hash);

  // The block of `token_ids` [block_size] after `parent` (kNoBlock: at the start), or kNoBlock.
  int Find(int parent, std::span<const int> token_ids) const;

  // `block` is not cached yet, `parent` is (or kNoBlock), and Find does not know the content.
  void Insert(int block, int parent, std::span<const int> token_ids);

  // `block` is cached and parent of none.
  void Erase(int block);

  void Clear();

  bool Contains(int block) const { return entry(block).cached; }
  int size() const { return size_; }
  int parent(int block) const { return entry(block).parent; }
  std::span<const int> token_ids(int block) const;  // [block_size]

  // CHECKs that Find leads to every cached block and to nothing else, and that their parents are
  // cached.
  void CheckIntegrity() const;

 private:
  struct Entry {
    bool cached = false;
    int parent = kNoBlock;
    int num_children = 0;
    int next_in_bucket = kNoBlock;
    uint64_t hash = 0;
  };
  const Entry& entry(int block) const { return entries_[static_cast<size_t>(block)]; }
  Entry& entry(int block) { return entries_[static_cast<size_t>(block)]; }
  uint64_t HashOf(int parent, std::span<const int> token_ids) const;
  const int& bucket(uint64_t hash) const { return buckets_[hash & (buckets_.size() - 1)]; }
  int& bucket(uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }

  const int block_size_;
  const BlockHash hash_;
  std::vector<Entry> entries_;  // by block
  std::vector<int> token_ids_;  // [num_blocks][block_size]
  std::vector<int> buckets_;    // first block of each chain; a power of two of them
  int size_ = 0;
};

}  // namespace hearth::engine
