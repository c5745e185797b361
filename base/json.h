// The one place where JSON and CBOR text from outside becomes a value.
//
// nlohmann's own parse is iterative, but copying, printing and destroying a deeply nested value
// recurse, so depth is bounded while parsing (limits::kJsonDepthMax).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

// Keys keep the order in which they were written: chat templates and people see that order.
using Json = nlohmann::ordered_json;

// kInvalidArgument with position and reason for broken text, invalid UTF-8 or depth over the limit.
Result<Json> ParseJson(std::string_view text);

// The same for files with objects of many thousands of keys, a tokenizer's vocabulary for one: Json
// looks for a key one by one, so building such an object would be quadratic. Keys come out sorted.
using SortedJson = nlohmann::json;
Result<SortedJson> ParseLargeJson(std::string_view text);

Result<Json> ParseCbor(std::span<const uint8_t> bytes);
std::vector<uint8_t> DumpCbor(const Json& value);

// Compact text. Invalid UTF-8 inside strings is replaced by U+FFFD rather than thrown about.
std::string DumpJson(const Json& value);

}  // namespace hearth
