#include "engine/core/prefix_cache.h"

#include <gtest/gtest.h>

#include <set>

namespace hearth::engine {
namespace {

constexpr std::array<int, 4> kHello = {1, 2, 3, 4};
constexpr std::array<int, 4> kWorld = {5, 6, 7, 8};

TEST(PrefixCache, FindsABlockUnderItsTokensAndItsParentOnly) {
  PrefixCache cache(8, 4, &HashBlock);
  cache.Insert(3, kNoBlock, kHello);
  cache.Insert(5, 3, kWorld);
  EXPECT_EQ(cache.Find(kNoBlock, kHello), 3);
  EXPECT_EQ(cache.Find(3, kWorld), 5);
  EXPECT_EQ(cache.Find(kNoBlock, kWorld), kNoBlock);
  EXPECT_EQ(cache.Find(5, kWorld), kNoBlock);
  EXPECT_EQ(cache.Find(3, kHello), kNoBlock);
  EXPECT_TRUE(std::ranges::equal(cache.token_ids(5), kWorld));
  EXPECT_EQ(cache.parent(5), 3);
  cache.CheckIntegrity();
  cache.Erase(5);
  EXPECT_EQ(cache.Find(3, kWorld), kNoBlock);
  EXPECT_EQ(cache.size(), 1);
  cache.CheckIntegrity();
  cache.Clear();
  EXPECT_EQ(cache.Find(kNoBlock, kHello), kNoBlock);
  EXPECT_EQ(cache.size(), 0);
  cache.CheckIntegrity();
}

// Every block of every parent has the same hash: only the comparison is left to tell them apart.
TEST(PrefixCache, TellsCollidingHashesApart) {
  PrefixCache cache(8, 4, [](uint64_t, std::span<const int>) { return uint64_t{77}; });
  cache.Insert(0, kNoBlock, kHello);
  EXPECT_EQ(cache.Find(kNoBlock, kWorld), kNoBlock);
  cache.Insert(1, kNoBlock, kWorld);
  cache.Insert(2, 0, kHello);
  cache.Insert(3, 1, kHello);
  EXPECT_EQ(cache.Find(kNoBlock, kHello), 0);
  EXPECT_EQ(cache.Find(kNoBlock, kWorld), 1);
  EXPECT_EQ(cache.Find(0, kHello), 2);
  EXPECT_EQ(cache.Find(1, kHello), 3);
  EXPECT_EQ(cache.Find(0, kWorld), kNoBlock);
  cache.CheckIntegrity();
  cache.Erase(2);  // from the middle of the chain
  EXPECT_EQ(cache.Find(0, kHello), kNoBlock);
  EXPECT_EQ(cache.Find(1, kHello), 3);
  cache.CheckIntegrity();
}

TEST(PrefixCache, HashesByParentAndByEveryToken) {
  std::set<uint64_t> hashes;
  for (const uint64_t parent : {0u, 1u, 77u}) {
    hashes.insert(HashBlock(parent, kHello));
    for (size_t i = 0; i < kHello.size(); ++i) {
      std::array<int, 4> other = kHello;
      other[i] = 9;
      hashes.insert(HashBlock(parent, other));
    }
  }
  EXPECT_EQ(hashes.size(), 15u);
  EXPECT_NE(HashBlock(0, std::array{1, 2}), HashBlock(0, std::array{2, 1}));
}

TEST(PrefixCacheDeathTest, StaysATree) {
  PrefixCache cache(8, 4, &HashBlock);
  cache.Insert(0, kNoBlock, kHello);
  cache.Insert(1, 0, kWorld);
  EXPECT_DEATH(cache.Erase(0), "parent of cached blocks");
  EXPECT_DEATH(cache.Insert(1, kNoBlock, kWorld), "cached already");
  EXPECT_DEATH(cache.Insert(2, 6, kWorld), "block 6, the parent of 2");
}

}  // namespace
}  // namespace hearth::engine
