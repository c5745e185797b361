// Reads typed, bounded fields out of a JSON object and remembers the first thing that is wrong.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/api/openai_request.h"

namespace hearth::api {

// Absent fields and null leave the target as it is.
class FieldReader {
 public:
  // prefix: of the names in messages, e.g. "stream_options.".
  explicit FieldReader(const Json& object, std::string prefix = "")
      : object_(object), prefix_(std::move(prefix)) {}

  // The value, or null when it is absent or null.
  const Json* Find(const char* name) const;

  void Number(const char* name, std::optional<double>& out, double min, double max);
  template <typename T>
  void Integer(const char* name, std::optional<T>& out, int64_t min, int64_t max) {
    if (const auto value = CheckedInteger(name, min, max)) out = static_cast<T>(*value);
  }
  template <typename T>
  void Integer(const char* name, T& out, int64_t min, int64_t max) {
    if (const auto value = CheckedInteger(name, min, max)) out = static_cast<T>(*value);
  }
  void Bool(const char* name, bool& out);
  void String(const char* name, std::string& out);
  void StringOrList(const char* name, std::vector<std::string>& out, size_t count_max,
                    size_t bytes_max);
  void IntegerList(const char* name, std::vector<int>& out);

  // The field may only carry one of `neutral`: this server does not do what it asks for.
  void OnlyNeutral(const char* name, std::initializer_list<Json> neutral);

  void Fail(std::string name, std::string message);
  const std::optional<BadRequest>& error() const { return error_; }

 private:
  std::optional<int64_t> CheckedInteger(const char* name, int64_t min, int64_t max);
  void FailType(const char* name, const char* expected, const Json& value);

  const Json& object_;
  const std::string prefix_;
  std::optional<BadRequest> error_;
};

}  // namespace hearth::api
