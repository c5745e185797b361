// How many power losses a test looks at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace hearth::fault {

#ifdef __SANITIZE_ADDRESS__
inline constexpr int64_t kPointsUsual = 500;  // four times as slow
#else
inline constexpr int64_t kPointsUsual = 2000;
#endif

// HEARTH_FAULT_POINTS over all tests together; each has its share, in parts of 2,000.
inline int64_t Points(int64_t share) {
  const char* text = std::getenv("HEARTH_FAULT_POINTS");
  const int64_t all = text != nullptr ? std::atoll(text) : kPointsUsual;
  return std::max<int64_t>(1, all * share / 2000);
}

}  // namespace hearth::fault
