#include "firmware/config/setting_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hearth::config {
namespace {

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::vector<std::string> Entries(const std::vector<std::string>& texts, bool split) {
  std::vector<std::string> entries;
  for (const std::string& text : texts) {
    std::string_view rest = text;
    while (true) {
      const size_t comma = split ? rest.find(',') : std::string_view::npos;
      std::string entry = Trimmed(rest.substr(0, comma));
      if (!entry.empty()) entries.push_back(std::move(entry));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return entries;
}

// "name=value" as of a label, "Name: value" as of a header: whichever sign comes first.
Json MapOf(const std::vector<std::string>& entries) {
  Json map = Json::object();
  for (const std::string& entry : entries) {
    const size_t sign = entry.find_first_of("=:");
    if (sign == std::string::npos || sign == 0) return entry;
    map[Trimmed(entry.substr(0, sign))] = Trimmed(entry.substr(sign + 1));
  }
  return map;
}

template <typename Number>
std::optional<Number> ReadNumber(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

Json NumberOf(const std::string& text, bool with_fraction) {
  if (const auto integer = ReadNumber<int64_t>(text)) return *integer;
  const auto number = with_fraction ? ReadNumber<double>(text) : std::nullopt;
  return number && std::isfinite(*number) ? Json(*number) : Json(text);
}

Json BooleanOf(const std::string& text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  return text;
}

}  // namespace

Json ValueOfTexts(const std::string& type, const std::vector<std::string>& texts, bool one_text) {
  if (type == "list") return Entries(texts, true);
  if (type == "map") return MapOf(Entries(texts, one_text));
  const std::string& text = texts.back();
  if (type == "integer" || type == "number") return NumberOf(text, type == "number");
  if (type == "boolean") return BooleanOf(text);
  return text;
}

}  // namespace hearth::config
