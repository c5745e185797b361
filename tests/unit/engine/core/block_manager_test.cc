#include "engine/core/block_manager.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace hearth::engine {
namespace {

TEST(BlockManager, GivesAsManyBlocksAsTheTokensNeed) {
  BlockManager blocks(4, 16);
  std::vector<int> table;
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
  std::vector<int> first, second;
  ASSERT_TRUE(blocks.Grow(first, 5));
  ASSERT_TRUE(blocks.Grow(second, 2));
  const std::vector<int> before = second;
  EXPECT_FALSE(blocks.Grow(second, 9));
  EXPECT_EQ(second, before);
  EXPECT_EQ(blocks.num_free_blocks(), 0);
  blocks.Free(first);
  EXPECT_TRUE(blocks.Grow(second, 9));
  EXPECT_EQ(second.front(), before.front());
}

TEST(BlockManager, KeepsItsAccountsUnderRandomOperations) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const int block_size = 1 + static_cast<int>(random() % 32);
    BlockManager blocks(1 + static_cast<int>(random() % 64), block_size);
    std::vector<std::vector<int>> tables(8);
    std::vector<const std::vector<int>*> owners;
    for (const auto& table : tables) owners.push_back(&table);
    for (int operation = 0; operation < 500; ++operation) {
      auto& table = tables[random() % tables.size()];
      if (random() % 3 == 0) {
        blocks.Free(table);
        EXPECT_TRUE(table.empty());
      } else {
        const auto free_before = static_cast<size_t>(blocks.num_free_blocks());
        const int num_tokens = static_cast<int>(random() % 400);
        const size_t wanted = std::max(static_cast<size_t>(blocks.BlocksFor(num_tokens)),
                                       table.size());
        const bool fits = wanted - table.size() <= free_before;
        EXPECT_EQ(blocks.Grow(table, num_tokens), fits);
        if (fits) {
          EXPECT_EQ(table.size(), wanted);
        }
      }
      blocks.CheckIntegrity(owners);
    }
  }
}

TEST(BlockManagerDeathTest, NoticesADoubleFreeALeakAndTwoOwners) {
  BlockManager blocks(4, 16);
  std::vector<int> table;
  ASSERT_TRUE(blocks.Grow(table, 20));
  const std::vector<int>* twice[] = {&table, &table};
  EXPECT_DEATH(blocks.CheckIntegrity(twice), "two owners");
  EXPECT_DEATH(blocks.CheckIntegrity({}), "leaked");
  std::vector<int> copy = table;
  blocks.Free(table);
  EXPECT_DEATH(blocks.Free(copy), "freed twice");
}

}  // namespace
}  // namespace hearth::engine
