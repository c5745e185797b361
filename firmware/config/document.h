// A configuration's text as a value with places: YAML 1.2 (core schema), of which JSON is a part.
//
// What other YAML readers do quietly is refused by name here: a key that stands twice, merge keys
// (<<), tags, several documents in one text. `yes`, `no`, `on` and `off` are strings, as YAML 1.2
// says; a field that wants true or false then names them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "firmware/config/problem.h"

namespace hearth::config {

// Bounds of a text; one that reaches them is refused with the figure.
inline constexpr size_t kDocumentBytesMax = size_t{1} << 20;
inline constexpr int kDocumentDepthMax = 32;
inline constexpr size_t kDocumentKeysMax = 4096;  // of one map: Json looks a key up one by one
inline constexpr int kDocumentValuesMax = 100'000;  // with what aliases repeat

struct Document {
  Json json;
  std::map<std::string, Place> places;  // by path: of a map's member its key, of an item itself

  // Of the path or of the nearest thing around it that has a place.
  Place PlaceOf(std::string_view path) const;
};

struct ParsedDocument {
  std::optional<Document> document;  // absent when the text cannot be read
  std::vector<Problem> problems;
};

// Never throws. An empty text is a null document.
ParsedDocument ParseDocument(std::string_view text);

// "a.b" + "c" = "a.b.c"; "" + "c" = "c".
std::string MemberPath(std::string_view parent, std::string_view name);
std::string ItemPath(std::string_view parent, size_t index);

// A value as it would stand in a message: compact JSON, cut after a line's length.
std::string ShowValue(const Json& value);

}  // namespace hearth::config
