#include "storage/promql/literal_text.h"

#include <charconv>
#include <limits>

namespace hearth::promql {

bool DurationMs(std::string_view text, int64_t& result) {
  double total = 0;
  for (size_t at = 0; at < text.size();) {
    double amount = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      amount = amount * 10 + (text[at++] - '0');
    }
    size_t end = at;
    while (end < text.size() && text[end] > '9') ++end;
    const std::string_view unit = text.substr(at, end - at);
    constexpr double kDay = 86'400'000;
    total += amount * (unit == "ms"  ? 1
                       : unit == "s" ? 1'000
                       : unit == "m" ? 60'000
                       : unit == "h" ? 3'600'000
                       : unit == "d" ? kDay
                       : unit == "w" ? 7 * kDay
                                     : 365 * kDay);
    at = end;
  }
  if (total > static_cast<double>(std::numeric_limits<int64_t>::max()) / 1e6) return false;
  result = static_cast<int64_t>(total);
  return true;
}

double NumberValue(std::string_view text) {
  const char first = text.front();
  if (first == 'i' || first == 'I') return std::numeric_limits<double>::infinity();
  if (first == 'n' || first == 'N') return std::numeric_limits<double>::quiet_NaN();
  const bool hex = text.size() > 2 && first == '0' && (text[1] == 'x' || text[1] == 'X');
  const bool octal = !hex && text.size() > 1 && first == '0' &&
                     text.find_first_not_of("01234567") == std::string_view::npos;
  if (hex || octal) {
    double value = 0;
    for (const char c : text.substr(hex ? 2 : 1)) {
      const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      value = value * (hex ? 16 : 8) + digit;
    }
    return value;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // from_chars leaves `value` alone when the exponent is out of range.
  if (error == std::errc::result_out_of_range && text.find("e-") == std::string_view::npos &&
      text.find("E-") == std::string_view::npos) {
    return std::numeric_limits<double>::infinity();
  }
  return value;
}

}  // namespace hearth::promql
