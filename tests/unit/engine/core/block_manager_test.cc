#include "engine/core/block_manager.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

namespace hearth::engine {
namespace {

using Table = std::vector<int>;

std::vector<int> Count(int first, int count) {
  std::vector<int> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

// The table of a sequence whose tokens are all computed and cached.
Table Compute(BlockManager& blocks, const std::vector<int>& tokens) {
  Table table;
  const auto num_found = blocks.Allocate(table, tokens);
  EXPECT_TRUE(num_found.has_value());
  blocks.CacheFullBlocks(table, *num_found / blocks.block_size(), tokens);
  return table;
}

// How many of `tokens` would be found now; leaves the order of eviction as if they had been used.
int NumFound(BlockManager& blocks, const std::vector<int>& tokens) {
  Table table;
  const auto num_found = blocks.Allocate(table, tokens);
  blocks.Free(table);
  return num_found.value_or(-1);
}

TEST(BlockManager, GivesAsManyBlocksAsTheTokensNeed) {
  BlockManager blocks(4, 16);
  Table table;
  EXPECT_TRUE(blocks.Grow(table, 1));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(blocks.Grow(table, 16));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(blocks.Grow(table, 17));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(blocks.num_used_blocks(), 2);
}

TEST(BlockManager, ChangesNothingWhenTooFewBlocksAreFree) {
  BlockManager blocks(3, 4);
  Table first, second, third;
  ASSERT_TRUE(blocks.Grow(first, 5));
  ASSERT_TRUE(blocks.Grow(second, 2));
  const Table before = second;
  EXPECT_FALSE(blocks.Grow(second, 9));
  EXPECT_EQ(second, before);
  EXPECT_EQ(blocks.Allocate(third, Count(0, 1)), std::nullopt);
  EXPECT_TRUE(third.empty());
  EXPECT_EQ(blocks.num_free_blocks(), 0);
  blocks.Free(first);
  EXPECT_TRUE(blocks.Grow(second, 9));
  EXPECT_EQ(second.front(), before.front());
}

TEST(BlockManager, SharesTheFullBlocksOfACommonPrefix) {
  BlockManager blocks(8, 4);
  const Table first = Compute(blocks, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_EQ(blocks.num_used_blocks(), 3);
  Table second;
  EXPECT_EQ(blocks.Allocate(second, std::vector<int>{1, 2, 3, 4, 5, 6, 0, 0, 0}), 4);
  EXPECT_EQ(second[0], first[0]);
  EXPECT_NE(second[1], first[1]);
  EXPECT_EQ(blocks.num_used_blocks(), 5);
  const Table* tables[] = {&first, &second};
  blocks.CheckIntegrity(tables);
}

TEST(BlockManager, LeavesTheLastTokenToBeComputed) {
  BlockManager blocks(8, 4);
  Compute(blocks, Count(0, 12));
  EXPECT_EQ(NumFound(blocks, Count(0, 13)), 12);
  EXPECT_EQ(NumFound(blocks, Count(0, 12)), 8);
  EXPECT_EQ(NumFound(blocks, Count(0, 9)), 8);
  EXPECT_EQ(NumFound(blocks, Count(0, 8)), 4);
  EXPECT_EQ(NumFound(blocks, Count(0, 1)), 0);
}

TEST(BlockManager, FindsNothingThatIsNotComputed) {
  BlockManager blocks(8, 4);
  const std::vector<int> tokens = Count(0, 12);
  Table table;
  ASSERT_EQ(blocks.Allocate(table, tokens), 0);
  EXPECT_EQ(NumFound(blocks, tokens), 0);
  // Seven tokens are computed: one block.
  EXPECT_EQ(blocks.CacheFullBlocks(table, 0, std::span(tokens).first(7)), 1);
  EXPECT_EQ(NumFound(blocks, tokens), 4);
  blocks.Free(table);
  EXPECT_EQ(NumFound(blocks, tokens), 4);
}

TEST(BlockManager, CountsCachedBlocksThatNobodyHoldsAsFree) {
  BlockManager blocks(8, 4);
  Table table = Compute(blocks, Count(0, 16));
  EXPECT_EQ(blocks.num_used_blocks(), 4);
  blocks.Free(table);
  EXPECT_EQ(blocks.num_used_blocks(), 0);
  EXPECT_EQ(blocks.prefix_cache().size(), 4);
  // Three come back from the cache, and the pool still has room for the rest of it.
  ASSERT_EQ(blocks.Allocate(table, Count(0, 14)), 12);
  EXPECT_EQ(blocks.num_used_blocks(), 4);
  Table rest;
  EXPECT_TRUE(blocks.Grow(rest, 16));
  EXPECT_EQ(blocks.num_free_blocks(), 0);
}

// What is found counts as free until it is held: it must not be promised twice.
TEST(BlockManager, DoesNotCountABlockBothAsFoundAndAsFree) {
  BlockManager blocks(4, 4);
  Table table = Compute(blocks, Count(0, 8));
  blocks.Free(table);
  Table other;
  ASSERT_TRUE(blocks.Grow(other, 8));  // the empty ones
  EXPECT_EQ(blocks.num_free_blocks(), 2);
  EXPECT_EQ(blocks.Allocate(table, Count(0, 13)), std::nullopt);
  EXPECT_TRUE(table.empty());
  const Table* tables[] = {&other};
  blocks.CheckIntegrity(tables);
  EXPECT_EQ(blocks.Allocate(table, Count(0, 8)), 4);
}

TEST(BlockManager, TakesEmptyBlocksFirstThenTheLongestUnusedFromTheEndOfItsPrompt) {
  BlockManager blocks(6, 4);
  Table old = Compute(blocks, Count(0, 8));
  Table recent = Compute(blocks, Count(100, 8));
  blocks.Free(old);
  blocks.Free(recent);
  Table table;
  ASSERT_TRUE(blocks.Grow(table, 8));
  EXPECT_EQ(blocks.prefix_cache().size(), 4);
  ASSERT_TRUE(blocks.Grow(table, 12));  // the second block of the older prompt
  EXPECT_EQ(blocks.prefix_cache().size(), 3);
  EXPECT_NE(blocks.prefix_cache().Find(kNoBlock, Count(0, 4)), kNoBlock);
  EXPECT_EQ(NumFound(blocks, Count(0, 5)), 4);  // now it is the one used last
  ASSERT_TRUE(blocks.Grow(table, 20));
  EXPECT_NE(blocks.prefix_cache().Find(kNoBlock, Count(0, 4)), kNoBlock);
  EXPECT_EQ(blocks.prefix_cache().Find(kNoBlock, Count(100, 4)), kNoBlock);
}

TEST(BlockManager, KeepsOneBlockOfWhatTwoSequencesComputedAtTheSameTime) {
  BlockManager blocks(8, 4);
  const std::vector<int> tokens = Count(0, 9);
  Table first, second;
  ASSERT_EQ(blocks.Allocate(first, tokens), 0);
  ASSERT_EQ(blocks.Allocate(second, tokens), 0);
  EXPECT_EQ(blocks.num_used_blocks(), 6);
  EXPECT_EQ(blocks.CacheFullBlocks(first, 0, tokens), 2);
  EXPECT_EQ(blocks.CacheFullBlocks(second, 0, tokens), 2);
  EXPECT_EQ(blocks.num_used_blocks(), 4);
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + 2, second.begin()));
  EXPECT_NE(first[2], second[2]);
  const Table* tables[] = {&first, &second};
  blocks.CheckIntegrity(tables);
}

TEST(BlockManager, NeverServesACollisionOfHashes) {
  BlockManager blocks(16, 4, true, [](uint64_t, std::span<const int>) { return uint64_t{1}; });
  Compute(blocks, {1, 1, 1, 1, 2, 2, 2, 2});
  Compute(blocks, {3, 3, 3, 3, 4, 4, 4, 4});
  EXPECT_EQ(NumFound(blocks, {1, 1, 1, 1, 4, 4, 4, 4, 5}), 4);
  EXPECT_EQ(NumFound(blocks, {3, 3, 3, 3, 4, 4, 4, 4, 5}), 8);
  EXPECT_EQ(NumFound(blocks, {2, 2, 2, 2, 4, 4, 4, 4, 5}), 0);
}

TEST(BlockManager, FindsNothingWhenItIsSwitchedOffOrReset) {
  BlockManager off(8, 4, false);
  Table table = Compute(off, Count(0, 8));
  EXPECT_EQ(NumFound(off, Count(0, 8)), 0);
  EXPECT_EQ(off.prefix_cache().size(), 0);

  BlockManager blocks(8, 4);
  const Table held = Compute(blocks, Count(0, 8));
  Table unheld = Compute(blocks, Count(50, 8));
  blocks.Free(unheld);
  blocks.ResetPrefixCache();
  EXPECT_EQ(NumFound(blocks, Count(0, 9)), 0);
  EXPECT_EQ(NumFound(blocks, Count(50, 9)), 0);
  EXPECT_EQ(blocks.num_used_blocks(), 2);
  const Table again = Compute(blocks, Count(0, 8));
  EXPECT_EQ(NumFound(blocks, Count(0, 9)), 8);
  const Table* tables[] = {&held, &again};
  blocks.CheckIntegrity(tables);
}

// What a block holds is written down beside the manager, as a model would write keys and values: a
// block that is found must hold the tokens up to and including its own.
TEST(BlockManager, KeepsItsAccountsUnderRandomOperations) {
  struct Holder {
    std::vector<int> tokens;
    Table table;
    int num_computed = 0;
    int num_cached_blocks = 0;
    bool caches_blocks = true;
  };
  int num_found_in_all = 0;
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    const int block_size = 1 + below(6);
    const BlockHash collides = [](uint64_t parent, std::span<const int> tokens) {
      return HashBlock(parent, tokens) % 3;
    };
    BlockManager blocks(1 + below(40), block_size, seed % 5 != 0,
                        seed % 2 == 0 ? collides : &HashBlock);
    std::map<int, std::vector<int>> contents;  // block: the tokens up to and including its own
    std::vector<Holder> holders(6);
    std::vector<const Table*> tables;
    for (const Holder& holder : holders) tables.push_back(&holder.table);
    for (int operation = 0; operation < 800; ++operation) {
      Holder& holder = holders[random() % holders.size()];
      const int choice = below(20);
      if (choice == 0) {
        blocks.ResetPrefixCache();
        for (Holder& each : holders) each.caches_blocks = each.table.empty();
      } else if (choice < 5) {
        blocks.Free(holder.table);
        holder = {};
      } else if (holder.table.empty()) {
        holder.tokens.resize(static_cast<size_t>(1 + below(50)));
        for (int& token : holder.tokens) token = below(12) == 0 ? 1 : 0;
        const auto num_found = blocks.Allocate(holder.table, holder.tokens);
        holder.num_computed = num_found.value_or(0);
        EXPECT_LT(holder.num_computed, static_cast<int>(holder.tokens.size()));
        holder.num_cached_blocks = holder.num_computed / block_size;
        for (int i = 0; i < holder.num_cached_blocks; ++i) {
          const auto end = holder.tokens.begin() + (i + 1) * block_size;
          EXPECT_EQ(contents[holder.table[static_cast<size_t>(i)]],
                    std::vector<int>(holder.tokens.begin(), end));
        }
        num_found_in_all += holder.num_computed;
      } else {
        const int left = static_cast<int>(holder.tokens.size()) - holder.num_computed;
        holder.num_computed += below(left + 1);
        for (int i = holder.num_cached_blocks; (i + 1) * block_size <= holder.num_computed; ++i) {
          const auto end = holder.tokens.begin() + (i + 1) * block_size;
          contents[holder.table[static_cast<size_t>(i)]] = {holder.tokens.begin(), end};
        }
        if (holder.caches_blocks) {
          holder.num_cached_blocks = blocks.CacheFullBlocks(
              holder.table, holder.num_cached_blocks,
              std::span(holder.tokens).first(static_cast<size_t>(holder.num_computed)));
        }
        holder.tokens.push_back(0);
        if (!blocks.Grow(holder.table, static_cast<int>(holder.tokens.size()))) {
          holder.tokens.pop_back();
        }
      }
      blocks.CheckIntegrity(tables);
    }
  }
  EXPECT_GT(num_found_in_all, 2'000);  // there was something to find
}

TEST(BlockManagerDeathTest, NoticesADoubleFreeALeakAndAWrongCount) {
  BlockManager blocks(4, 16);
  Table table;
  ASSERT_TRUE(blocks.Grow(table, 20));
  const Table* twice[] = {&table, &table};
  EXPECT_DEATH(blocks.CheckIntegrity(twice), "is held by 2 and counted 1 times");
  EXPECT_DEATH(blocks.CheckIntegrity({}), "is held by 0 and counted 1 times");
  Table copy = table;
  blocks.Free(table);
  EXPECT_DEATH(blocks.Free(copy), "freed twice");
}

}  // namespace
}  // namespace hearth::engine
