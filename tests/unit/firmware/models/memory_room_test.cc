#include "firmware/models/memory_room.h"

#include <gtest/gtest.h>

namespace hearth::models {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;
using Yields = Tenant::Yields;
using Verdict = Room::Verdict;

// A model of 10 MiB: 8 of weights, 1 of workspace, 1 of KV cache, on a box of 100 MiB.
RoomInput Input(std::vector<Tenant> tenants, int64_t limit) {
  RoomInput input;
  input.model_name = "new";
  input.plan.weight_bytes = 8 * kMiB;
  input.plan.workspace_bytes = kMiB;
  input.plan.kv_bytes_per_token = 1024;
  input.plan.block_size = 16;
  input.plan.max_model_len = input.plan.max_position_embeddings = 1024;
  input.plan.max_num_seqs = 1;
  input.plan.memory_total_bytes = 100 * kMiB;
  input.plan.memory_free_bytes = 100 * kMiB - 10 * kMiB * static_cast<int64_t>(tenants.size());
  input.kv_cache_memory_bytes = kMiB;
  input.tenants = std::move(tenants);
  input.memory_limit_bytes = limit;
  return input;
}

Tenant Of(const std::string& name, Yields yields, double last_used_s, int64_t weights = 8) {
  Tenant tenant;
  tenant.model_name = name;
  tenant.footprint = {weights * kMiB, kMiB, kMiB};
  tenant.resident_bytes = 10 * kMiB;
  tenant.yields = yields;
  tenant.last_used_s = last_used_s;
  return tenant;
}

TEST(MemoryRoom, IsThereBesideWhatRuns) {
  const Room room = FindRoom(Input({Of("a", Yields::kNow, 1)}, 0));
  EXPECT_EQ(room.verdict, Verdict::kFits);
  EXPECT_EQ(room.footprint.total(), 10 * kMiB);
}

TEST(MemoryRoom, IsMadeByTheLongestUnused) {
  const Room room = FindRoom(Input({Of("a", Yields::kNow, 3), Of("b", Yields::kNow, 1),
                                    Of("c", Yields::kNow, 2), Of("d", Yields::kNever, 0)},
                                   40 * kMiB));
  EXPECT_EQ(room.verdict, Verdict::kAfterOthers);
  EXPECT_EQ(room.give_way, std::vector<size_t>{1});
}

TEST(MemoryRoom, SparesTheSmallOneThatWouldNotBeEnough) {
  const Room room =
      FindRoom(Input({Of("small", Yields::kNow, 1, 2), Of("large", Yields::kNow, 2)}, 14 * kMiB));
  EXPECT_EQ(room.verdict, Verdict::kAfterOthers);
  EXPECT_EQ(room.give_way, std::vector<size_t>{1});
}

TEST(MemoryRoom, TakesSeveralWhereOneIsNotEnough) {
  const Room room =
      FindRoom(Input({Of("a", Yields::kNow, 1, 3), Of("b", Yields::kNow, 2, 3)}, 11 * kMiB));
  EXPECT_EQ(room.verdict, Verdict::kAfterOthers);
  EXPECT_EQ(room.give_way, (std::vector<size_t>{0, 1}));
}

TEST(MemoryRoom, ComesWhenABusyOneIsIdle) {
  const Room room = FindRoom(Input({Of("a", Yields::kWhenIdle, 1)}, 15 * kMiB));
  EXPECT_EQ(room.verdict, Verdict::kWhenIdle);
  EXPECT_TRUE(room.give_way.empty());
  EXPECT_NE(room.why.find("needs 10.0 MiB"), std::string::npos) << room.why;
}

TEST(MemoryRoom, NeverComesFromWhatIsPinned) {
  const Room room = FindRoom(Input({Of("a", Yields::kNever, 1)}, 15 * kMiB));
  EXPECT_EQ(room.verdict, Verdict::kNever);
}

}  // namespace
}  // namespace hearth::models
