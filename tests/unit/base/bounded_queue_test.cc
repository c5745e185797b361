#include "base/bounded_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace hearth {
namespace {

TEST(BoundedQueue, LeavesTheValueWithTheProducerWhenFull) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.TryPush(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.TryPush(second));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
}

TEST(BoundedQueue, HandsOutWhatWasQueuedBeforeClosing) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.TryPush(1));
  queue.Close();
  EXPECT_FALSE(queue.TryPush(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, CarriesEveryItemBetweenThreadsInOrder) {
  BoundedQueue<int> queue(8);
  std::thread producer([&] {
    for (int i = 0; i < 10'000;) {
      if (queue.TryPush(i)) ++i;
    }
    queue.Close();
  });
  int expected = 0;
  while (auto item = queue.Pop()) EXPECT_EQ(*item, expected++);
  EXPECT_EQ(expected, 10'000);
  producer.join();
}

TEST(BoundedQueue, PushWaitsForSpaceAndGivesUpWhenClosed) {
  BoundedQueue<int> queue(2);
  std::thread producer([&] {
    for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(queue.Push(i));
    while (queue.Push(-1)) {
    }
  });
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(queue.Pop(), i);
  queue.Close();
  producer.join();
}

}  // namespace
}  // namespace hearth
