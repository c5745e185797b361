// Percent-encoding and query strings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::http {

// Empty for a '%' without two hex digits. `plus_is_space` as in form encoding.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);

// "a=1&b=x%20y&a" -> {{a,1},{b,"x y"},{a,""}}. Pairs that do not decode are left out.
std::vector<std::pair<std::string, std::string>> ParseForm(std::string_view text);

// ASCII only, as header names and host names are.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);
std::string LowerCase(std::string_view text);

// Without leading and trailing spaces and tabs.
std::string_view Trim(std::string_view text);

}  // namespace hearth::http
