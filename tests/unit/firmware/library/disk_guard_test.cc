#include "firmware/library/disk_guard.h"

#include <gtest/gtest.h>

#include "tests/unit/firmware/library/temporary_folder.h"

namespace hearth::library {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(DiskGuard, KeepsTwoGiBOrFivePercentUnlessToldOtherwise) {
  const DiskGuard guard("/tmp", 0);
  EXPECT_EQ(guard.ReserveOf({.total_bytes = 10 * kGiB, .free_bytes = 0}), 2 * kGiB);
  EXPECT_EQ(guard.ReserveOf({.total_bytes = 1000 * kGiB, .free_bytes = 0}), 50 * kGiB);
  EXPECT_EQ(DiskGuard("/tmp", 7).ReserveOf({.total_bytes = 1000 * kGiB, .free_bytes = 0}), 7u);
}

TEST(DiskGuard, RefusesWhatWouldReachIntoTheReserve) {
  const TemporaryFolder folder;
  const auto space = SpaceOf(folder.path());
  ASSERT_TRUE(space.ok());
  // Others write to this disk, too: far from the border on both sides.
  const DiskGuard guard(folder.path(), space->free_bytes / 2);
  EXPECT_TRUE(guard.CheckRoomFor(space->free_bytes / 8).ok());
  EXPECT_EQ(guard.CheckRoomFor(space->free_bytes * 7 / 8).code(), StatusCode::kResourceExhausted);
  const DiskGuard all(folder.path(), 2 * space->total_bytes);
  EXPECT_EQ(all.CheckRoomFor(0).code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hearth::library
