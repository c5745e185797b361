#include "engine/model/json_file.h"

#include <cerrno>
#include <fstream>
#include <sstream>

namespace hearth::engine {
namespace {

Status BadField(std::string_view name, const std::string& expected, const Json& found) {
  return InvalidArgument("field '" + std::string(name) + "' must be " + expected + ", not " +
                         DumpJson(found).substr(0, 80));
}

std::string Number(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path, size_t max_bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return ErrnoStatus("cannot open " + path, errno);
  const auto size = static_cast<size_t>(std::streamoff(file.tellg()));
  if (size > max_bytes) {
    return InvalidArgument(path + " has " + std::to_string(size) + " bytes; such a file may have " +
                           std::to_string(max_bytes));
  }
  std::string text(size, '\0');
  file.seekg(0);
  if (!file.read(text.data(), static_cast<std::streamsize>(size))) {
    return DataLoss("cannot read " + path);
  }
  return text;
}

const Json* JsonFields::Find(std::string_view name) const {
  const auto it = object_.find(std::string(name));
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

Result<int> JsonFields::Int(std::string_view name, int low, int high,
                            std::optional<int> fallback) const {
  const Json* value = Find(name);
  if (value == nullptr) {
    if (fallback) return *fallback;
    return InvalidArgument("field '" + std::string(name) + "' is missing");
  }
  const std::string expected =
      "an integer from " + std::to_string(low) + " to " + std::to_string(high);
  if (!value->is_number_integer()) return BadField(name, expected, *value);
  // Through double: an unsigned value above the range of int64 must not wrap into it.
  const double number = value->get<double>();
  if (number < low || number > high) return BadField(name, expected, *value);
  return static_cast<int>(number);
}

Result<double> JsonFields::Double(std::string_view name, double low, double high,
                                  double fallback) const {
  const Json* value = Find(name);
  if (value == nullptr) return fallback;
  const std::string expected = "a number from " + Number(low) + " to " + Number(high);
  if (!value->is_number()) return BadField(name, expected, *value);
  const double number = value->get<double>();
  if (!(number >= low && number <= high)) return BadField(name, expected, *value);
  return number;
}

Result<bool> JsonFields::Bool(std::string_view name, bool fallback) const {
  const Json* value = Find(name);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) return BadField(name, "true or false", *value);
  return value->get<bool>();
}

Result<std::string> JsonFields::String(std::string_view name, std::string_view fallback) const {
  const Json* value = Find(name);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) return BadField(name, "a string", *value);
  return value->get<std::string>();
}

}  // namespace hearth::engine
