// How many power losses a test looks at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace hearth::fault {

// HEARTH_FAULT_POINTS over all tests together; each has its share, in parts of 2,000.
inline int64_t Points(int64_t share) {
  const char* text = std::getenv("HEARTH_FAULT_POINTS");
  const int64_t all = text != nullptr ? std::atoll(text) : 2000;
  return std::max<int64_t>(1, all * share / 2000);
}

}  // namespace hearth::fault
