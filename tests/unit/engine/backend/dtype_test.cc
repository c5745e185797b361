#include "engine/backend/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hearth::engine {
namespace {

TEST(DType, WidensEveryBFloat16Exactly) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = BFloat16ToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(BFloat16ToFloat(FloatToBFloat16(value))));
    } else {
      EXPECT_EQ(FloatToBFloat16(value), half);
    }
  }
}

TEST(DType, RoundsToBFloat16ToNearestEven) {
  EXPECT_EQ(BFloat16ToFloat(FloatToBFloat16(1.0f + 0x1p-8f)), 1.0f);  // a tie, down to even
  EXPECT_EQ(BFloat16ToFloat(FloatToBFloat16(1.0f + 0x3p-8f)), 1.0f + 0x1p-6f);  // a tie, up to even
  EXPECT_EQ(BFloat16ToFloat(FloatToBFloat16(1.0f + 0x1.01p-8f)), 1.0f + 0x1p-7f);
  EXPECT_EQ(BFloat16ToFloat(FloatToBFloat16(-3.4e38f)), -std::numeric_limits<float>::infinity());
}

TEST(DType, WidensFloat16) {
  EXPECT_EQ(Float16ToFloat(0x3c00), 1.0f);
  EXPECT_EQ(Float16ToFloat(0xc000), -2.0f);
  EXPECT_EQ(Float16ToFloat(0x7bff), 65504.0f);
  EXPECT_EQ(Float16ToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(Float16ToFloat(0x83ff), -0x3ffp-24f);
  EXPECT_TRUE(std::signbit(Float16ToFloat(0x8000)));
  EXPECT_TRUE(std::isinf(Float16ToFloat(0x7c00)));
  EXPECT_TRUE(std::isnan(Float16ToFloat(0x7e01)));
}

}  // namespace
}  // namespace hearth::engine
