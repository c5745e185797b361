#include "engine/model/kv_cache_size.h"

#include <gtest/gtest.h>

namespace hearth::engine {
namespace {

KvCacheBudget Budget() {
  KvCacheBudget budget;
  budget.free_memory_bytes = int64_t{8} << 30;
  budget.bytes_per_block = 1 << 20;
  budget.block_size = 16;
  budget.max_model_len = 1000;  // 63 blocks
  budget.max_num_seqs = 4;
  return budget;
}

TEST(NumKvBlocks, TakesNoMoreThanTheSequencesCanFill) {
  EXPECT_EQ(NumKvBlocks(Budget()).value(), 252);
}

TEST(NumKvBlocks, TakesHalfOfTheFreeMemory) {
  KvCacheBudget budget = Budget();
  budget.max_num_seqs = 1000;
  EXPECT_EQ(NumKvBlocks(budget).value(), 4096);
}

TEST(NumKvBlocks, TakesWhatItIsGiven) {
  KvCacheBudget budget = Budget();
  budget.kv_cache_bytes = 100 << 20;
  EXPECT_EQ(NumKvBlocks(budget).value(), 100);
}

TEST(NumKvBlocks, SaysHowMuchOneSequenceNeeds) {
  KvCacheBudget budget = Budget();
  budget.kv_cache_bytes = 62 << 20;
  const Status status = NumKvBlocks(budget).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("max_model_len 1000 tokens needs 0.06 GiB"), std::string::npos)
      << status.message();
  budget.kv_cache_bytes = 0;
  budget.free_memory_bytes = 100 << 20;
  EXPECT_EQ(NumKvBlocks(budget).status().code(), StatusCode::kResourceExhausted);
}

TEST(NumKvBlocks, RefusesMoreThanThereIs) {
  KvCacheBudget budget = Budget();
  budget.kv_cache_bytes = int64_t{9} << 30;
  const Status status = NumKvBlocks(budget).status();
  EXPECT_NE(status.message().find("asks for 9.00 GiB, but only 8.00 GiB"), std::string::npos)
      << status.message();
}

}  // namespace
}  // namespace hearth::engine
