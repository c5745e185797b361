#include "engine/backend/cpu/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace hearth::engine {
namespace {

TEST(ThreadPool, RunsEveryTaskOfEveryJobOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    for (int job = 0; job < 300; ++job) {
      const int tasks = job % 40;
      std::vector<int> runs(static_cast<size_t>(tasks));
      pool.ParallelFor(tasks, [&](int task, int thread) {
        EXPECT_TRUE(thread >= 0 && thread < threads);
        ++runs[static_cast<size_t>(task)];  // not atomic: a task belongs to one thread
      });
      EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(tasks), 1));
    }
  }
}

TEST(ThreadPool, WakesThreadsThatWentToSleep) {
  ThreadPool pool(3);
  for (int job = 0; job < 5; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> sum{0};
    pool.ParallelFor(100, [&](int task, int) { sum += task; });
    EXPECT_EQ(sum, 4950);
  }
}

TEST(ThreadPool, EndsWithoutEverHavingWorked) { ThreadPool pool(4); }

}  // namespace
}  // namespace hearth::engine
