#include "firmware/cli/new_lines.h"

#include <algorithm>

namespace hearth::cli {

size_t SeenLines(const Json& before, const Json& now) {
  for (size_t count = std::min(before.size(), now.size()); count > 0; --count) {
    const auto from = before.begin() + static_cast<Json::difference_type>(before.size() - count);
    if (std::equal(from, before.end(), now.begin())) return count;
  }
  return 0;
}

}  // namespace hearth::cli
