// What the text of a number or duration token stands for.
#pragma once

#include <cstdint>
#include <string_view>

namespace hearth::promql {

// Milliseconds of a duration token; false beyond 64 bits of nanoseconds, Go's limit.
bool DurationMs(std::string_view text, int64_t& result);

// As Go's strconv with base 0: 0x and a leading 0 (octal) are integers.
double NumberValue(std::string_view text);

}  // namespace hearth::promql
