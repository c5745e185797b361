// Doubles that are decimal numbers, as integers: what makes both stored forms of a value small.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

namespace hearth::storage {

// Form f, 1..4, is an integer at kScales[f - 1].
inline constexpr std::array<double, 4> kScales = {1, 10, 1e3, 1e6};
inline constexpr uint8_t kForms = 4;

inline double Unscale(int64_t scaled, uint8_t form) {
  return static_cast<double>(scaled) / kScales[form - 1];
}

// The integer that stands for `value` in the form, when it does so to the bit.
inline std::optional<int64_t> Scale(double value, uint8_t form) {
  constexpr double kIntegerLimit = 9007199254740992.0;  // 2^53: doubles count exactly up to here
  const double product = value * kScales[form - 1];
  if (!(std::abs(product) < kIntegerLimit)) return std::nullopt;  // also NaN
  const auto scaled = static_cast<int64_t>(std::llround(product));
  if (std::bit_cast<uint64_t>(Unscale(scaled, form)) != std::bit_cast<uint64_t>(value)) {
    return std::nullopt;
  }
  return scaled;
}

}  // namespace hearth::storage
