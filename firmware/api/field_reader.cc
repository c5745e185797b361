#include "firmware/api/field_reader.h"

#include <limits>

namespace hearth::api {
namespace {

// For error messages: never a page of somebody's text.
std::string Shown(const Json& value) {
  constexpr size_t kShownMax = 60;
  std::string text = DumpJson(value);
  if (text.size() > kShownMax) text = text.substr(0, kShownMax) + "...";
  return text;
}

std::string Plain(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

const Json* FieldReader::Find(const char* name) const {
  const auto it = object_.find(name);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

void FieldReader::Fail(std::string name, std::string message) {
  if (!error_) error_ = BadRequest{std::move(message), prefix_ + std::move(name)};
}

void FieldReader::FailType(const char* name, const char* expected, const Json& value) {
  Fail(name, "'" + prefix_ + name + "' must be " + expected + ", not " + Shown(value));
}

void FieldReader::Number(const char* name, std::optional<double>& out, double min, double max) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_number()) return FailType(name, "a number", *value);
  const double number = value->get<double>();
  if (!(number >= min && number <= max)) {
    return Fail(name, "'" + prefix_ + name + "' is " + Shown(*value) + "; it must be between " +
                          Plain(min) + " and " + Plain(max));
  }
  out = number;
}

std::optional<int64_t> FieldReader::CheckedInteger(const char* name, int64_t min, int64_t max) {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) {
    FailType(name, "an integer", *value);
    return std::nullopt;
  }
  const bool over_int64 = value->is_number_unsigned() &&
                          value->get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()};
  const int64_t number = over_int64 ? 0 : value->get<int64_t>();
  if (over_int64 || number < min || number > max) {
    Fail(name, "'" + prefix_ + name + "' is " + Shown(*value) + "; it must be between " +
                   std::to_string(min) + " and " + std::to_string(max));
    return std::nullopt;
  }
  return number;
}

void FieldReader::Bool(const char* name, bool& out) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_boolean()) return FailType(name, "true or false", *value);
  out = value->get<bool>();
}

void FieldReader::String(const char* name, std::string& out) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_string()) return FailType(name, "a string", *value);
  out = value->get<std::string>();
}

void FieldReader::StringOrList(const char* name, std::vector<std::string>& out, size_t count_max,
                               size_t bytes_max) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  const Json list = value->is_array() ? *value : Json::array({*value});
  if (list.size() > count_max) {
    return Fail(name, "'" + prefix_ + name + "' has " + std::to_string(list.size()) +
                          " entries; at most " + std::to_string(count_max) + " are allowed");
  }
  for (const Json& item : list) {
    if (!item.is_string()) return FailType(name, "a string or a list of strings", *value);
    const auto& text = item.get_ref<const std::string&>();
    if (text.empty() || text.size() > bytes_max) {
      return Fail(name, "an entry of '" + prefix_ + name + "' has " + std::to_string(text.size()) +
                            " bytes; 1 to " + std::to_string(bytes_max) + " are allowed");
    }
    out.push_back(text);
  }
}

void FieldReader::IntegerList(const char* name, std::vector<int>& out) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  if (!value->is_array()) return FailType(name, "a list of token ids", *value);
  for (const Json& item : *value) {
    const bool fits = item.is_number_integer() && item.get<int64_t>() >= 0 &&
                      item.get<int64_t>() <= std::numeric_limits<int>::max();
    if (!fits) return FailType(name, "a list of token ids", item);
    out.push_back(item.get<int>());
  }
}

void FieldReader::OnlyNeutral(const char* name, std::initializer_list<Json> neutral) {
  const Json* value = Find(name);
  if (value == nullptr) return;
  std::string allowed;
  for (const Json& candidate : neutral) {
    if (*value == candidate) return;
    allowed += " or " + DumpJson(candidate);
  }
  Fail(name, "'" + prefix_ + name + "' is " + Shown(*value) +
                 ", which this server does not offer; leave it out or send null" + allowed);
}

}  // namespace hearth::api
