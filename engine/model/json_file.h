// Reads a JSON file of a checkpoint, and its fields, with errors that name file and field.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace hearth::engine {

// The whole file as text; kNotFound, or kInvalidArgument when it has more than `max_bytes`.
Result<std::string> ReadTextFile(const std::string& path, size_t max_bytes);

// 16 MiB: the largest configs of published models have a few hundred KiB.
inline constexpr size_t kConfigBytesMax = size_t{16} << 20;

// Fields of one JSON object. Absent and null are the same; a field of the wrong type is an error.
class JsonFields {
 public:
  explicit JsonFields(const Json& object) : object_(object) {}

  // Null when absent.
  const Json* Find(std::string_view name) const;

  // An integer in [low, high]; `fallback` when absent, or an error when there is no fallback.
  Result<int> Int(std::string_view name, int low, int high, std::optional<int> fallback = {}) const;
  Result<double> Double(std::string_view name, double low, double high, double fallback) const;
  Result<bool> Bool(std::string_view name, bool fallback) const;
  Result<std::string> String(std::string_view name, std::string_view fallback) const;

 private:
  const Json& object_;
};

}  // namespace hearth::engine
