#include "storage/promql/float_format.h"

#include <charconv>
#include <cmath>

#include "base/check.h"

namespace hearth::promql {

namespace {

// The longest fixed text of a double: a sign, "0." and 1074 - 17 + 17 digits.
constexpr size_t kFixedTextMax = 1100;

void Append(double value, std::chars_format format, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    char text[kFixedTextMax];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value, format);
    CHECK(error == std::errc()) << "a double needs more than " << kFixedTextMax << " characters";
    out.append(text, end);
  }
}

}  // namespace

void AppendFloat(double value, std::string& out) { Append(value, std::chars_format::fixed, out); }

std::string FloatText(double value) {
  std::string text;
  AppendFloat(value, text);
  return text;
}

void AppendJsonFloat(double value, std::string& out) {
  const double magnitude = std::abs(value);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  Append(value, exponent ? std::chars_format::scientific : std::chars_format::fixed, out);
}

}  // namespace hearth::promql
