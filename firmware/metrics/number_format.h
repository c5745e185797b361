// Numbers as the exposition formats write them.
#pragma once

#include <string>

namespace hearth::metrics {

// As Python's client prints: shortest digits that read back, "1.0" for integers, an exponent from
// 1e6 on,
// "+Inf", "-Inf", "NaN".
std::string FormatValue(double value);

}  // namespace hearth::metrics
