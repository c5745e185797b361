#include "engine/core/lru_list.h"

#include <gtest/gtest.h>

namespace hearth::engine {
namespace {

std::vector<int> Items(const LruList& list) {
  std::vector<int> items;
  for (int item = list.First(); item != list.End(); item = list.Next(item)) items.push_back(item);
  return items;
}

TEST(LruList, KeepsTheOrderOfUse) {
  LruList list(4);
  EXPECT_EQ(Items(list), std::vector<int>());
  for (const int item : {2, 0, 3, 1}) list.PushBack(item);
  EXPECT_EQ(Items(list), (std::vector<int>{2, 0, 3, 1}));
  list.Remove(3);  // from the middle, the front and the back
  list.Remove(2);
  list.Remove(1);
  EXPECT_EQ(Items(list), std::vector<int>{0});
  EXPECT_EQ(list.size(), 1);
  EXPECT_TRUE(list.Contains(0));
  EXPECT_FALSE(list.Contains(2));
  list.PushBack(2);
  EXPECT_EQ(Items(list), (std::vector<int>{0, 2}));
}

TEST(LruListDeathTest, HoldsAnItemOnce) {
  LruList list(2);
  list.PushBack(1);
  EXPECT_DEATH(list.PushBack(1), "1");
  EXPECT_DEATH(list.Remove(0), "0");
}

}  // namespace
}  // namespace hearth::engine
