// A log that is asked for again and again, whose lines have no number.
#pragma once

#include <cstddef>

#include "base/json.h"

namespace hearth::cli {

// Both are the last lines of one log, arrays of anything, the oldest first. How many of `now` stood
// in `before` already: the longest end of `before` that `now` begins with.
size_t SeenLines(const Json& before, const Json& now);

}  // namespace hearth::cli
