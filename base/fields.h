// A struct that can be written to and read from JSON by naming its members once:
//
//   struct Abort {
//     uint64_t request_id = 0;
//     template <typename V> void VisitFields(V& v) { v("request_id", request_id); }
//   };
//
// ToJson writes every field; FromJson takes absent keys as "keep the default", refuses values of the
// wrong type by name, and ignores unknown keys (the two ends of a socket may be one version apart).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/json.h"

namespace hearth {

namespace fields_internal {

struct Writer;
struct Reader;

template <typename T>
concept HasFields = requires(T& t, Writer& w) { t.VisitFields(w); };

template <typename T>
Json Write(T& value);

struct Writer {
  Json object = Json::object();
  template <typename T>
  void operator()(const char* name, T& member) {
    object[name] = Write(member);
  }
};

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <typename T>
Json Write(T& value) {
  if constexpr (HasFields<T>) {
    Writer writer;
    value.VisitFields(writer);
    return std::move(writer.object);
  } else if constexpr (IsVector<T>::value) {
    Json array = Json::array();
    for (auto& item : value) array.push_back(Write(item));
    return array;
  } else if constexpr (IsOptional<T>::value) {
    return value ? Write(*value) : Json(nullptr);
  } else if constexpr (std::is_enum_v<T>) {
    return Json(static_cast<int>(value));
  } else {
    return Json(value);
  }
}

template <typename T>
Status Read(const Json& json, const std::string& path, T& value);

struct Reader {
  const Json& object;
  std::string path;
  Status status;
  template <typename T>
  void operator()(const char* name, T& member) {
    if (!status.ok()) return;
    const auto it = object.find(name);
    if (it == object.end()) return;
    status = Read(*it, path.empty() ? name : path + "." + name, member);
  }
};

inline Status WrongType(const std::string& path, const char* expected, const Json& json) {
  return InvalidArgument("field '" + path + "' must be " + expected + ", not " + json.type_name());
}

template <typename T>
Status ReadNumber(const Json& json, const std::string& path, T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!json.is_number()) return WrongType(path, "a number", json);
    value = json.get<T>();
  } else {
    if (!json.is_number_integer()) return WrongType(path, "an integer", json);
    value = json.get<T>();
  }
  return Status::Ok();
}

template <typename T>
Status Read(const Json& json, const std::string& path, T& value) {
  if constexpr (HasFields<T>) {
    if (!json.is_object()) return WrongType(path, "an object", json);
    Reader reader{json, path, {}};
    value.VisitFields(reader);
    return reader.status;
  } else if constexpr (IsVector<T>::value) {
    if (!json.is_array()) return WrongType(path, "an array", json);
    value.clear();
    value.resize(json.size());
    for (size_t i = 0; i < json.size(); ++i) {
      HEARTH_RETURN_IF_ERROR(Read(json[i], path + "[" + std::to_string(i) + "]", value[i]));
    }
    return Status::Ok();
  } else if constexpr (IsOptional<T>::value) {
    if (json.is_null()) {
      value.reset();
      return Status::Ok();
    }
    return Read(json, path, value.emplace());
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return WrongType(path, "true or false", json);
    value = json.get<bool>();
    return Status::Ok();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return WrongType(path, "a string", json);
    value = json.get<std::string>();
    return Status::Ok();
  } else if constexpr (std::is_same_v<T, Json>) {
    value = json;
    return Status::Ok();
  } else if constexpr (std::is_enum_v<T>) {
    int number = 0;
    HEARTH_RETURN_IF_ERROR(ReadNumber(json, path, number));
    value = static_cast<T>(number);
    return Status::Ok();
  } else {
    return ReadNumber(json, path, value);
  }
}

}  // namespace fields_internal

template <typename T>
Json ToJson(const T& value) {
  // VisitFields is one function for reading and writing, hence not const; writing changes nothing.
  return fields_internal::Write(const_cast<T&>(value));
}

template <typename T>
Result<T> FromJson(const Json& json) {
  T value{};
  HEARTH_RETURN_IF_ERROR(fields_internal::Read(json, "", value));
  return value;
}

}  // namespace hearth
