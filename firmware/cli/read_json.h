// Fields of a box's answers. A field that is absent, null or of another type reads as nothing: a
// command goes on with what it was told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace hearth::cli {

inline std::string TextOf(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

inline std::optional<double> NumberOf(const Json& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

inline int64_t CountOf(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<int64_t>() : 0;
}

inline bool TruthOf(const Json& object, const char* key) {
  if (!object.is_object()) return false;
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

// What stands there, or null.
inline const Json& PartOf(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found != object.end() ? *found : nothing;
}

// To walk over: an empty list when there is none.
inline const Json& ListOf(const Json& object, const char* key) {
  static const Json empty = Json::array();
  const Json& part = PartOf(object, key);
  return part.is_array() ? part : empty;
}

}  // namespace hearth::cli
