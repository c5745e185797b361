#include "storage/promql/float_format.h"

#include <charconv>
#include <cmath>
#include <string_view>

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

// Whole numbers beyond 53 bits: to_chars writes every digit of the double, Go the shortest ones that
// tell it and then zeros.
void AppendLarge(double value, std::string& out) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const std::string_view written(text, static_cast<size_t>(end - text));
  const size_t mark = written.find('e');
  size_t zeros = 0;
  std::from_chars(text + mark + 2, end, zeros);  // behind "e+"
  for (const char c : written.substr(0, mark)) {
    if (c == '.') continue;
    out += c;
  }
  const size_t point = written.find('.');
  if (point < mark) zeros -= mark - point - 1;
  out.append(zeros, '0');
}

constexpr double kLarge = 9007199254740992;  // 2^53

bool IsLarge(double value) { return std::isfinite(value) && std::abs(value) >= kLarge; }

}  // namespace

void AppendFloat(double value, std::string& out) {
  if (IsLarge(value)) return AppendLarge(value, out);
  Append(value, std::chars_format::fixed, out);
}

std::string FloatText(double value) {
  std::string text;
  AppendFloat(value, text);
  return text;
}

void AppendJsonFloat(double value, std::string& out) {
  const double magnitude = std::abs(value);
  const bool exponent = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  if (!exponent) return AppendFloat(value, out);
  Append(value, std::chars_format::scientific, out);
}

}  // namespace hearth::promql
