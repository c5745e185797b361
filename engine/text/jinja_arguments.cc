#include "engine/text/jinja_arguments.h"

#include <algorithm>

namespace hearth::engine::jinja {
namespace {

[[noreturn]] void FailType(std::string_view name, const char* expected, const Value& value) {
  throw Error("argument '" + std::string(name) + "' must be " + expected + ", not " +
              std::string(value.TypeName()));
}

}  // namespace

void CallArguments::Check(std::string_view function,
                          std::initializer_list<std::string_view> names) const {
  if (positional.size() > names.size()) {
    throw Error(std::string(function) + " takes at most " + std::to_string(names.size()) +
                " arguments, not " + std::to_string(positional.size()));
  }
  for (const auto& [name, value] : named) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(std::string(function) + " has no argument '" + name + "'");
    }
  }
}

const Value* CallArguments::Find(size_t i, std::string_view name) const {
  if (i < positional.size()) return &positional[i];
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return nullptr;
}

int64_t CallArguments::IntegerOr(size_t i, std::string_view name, int64_t absent) const {
  const Value* value = Find(i, name);
  if (value == nullptr || value->IsNone()) return absent;
  if (!value->IsInteger()) FailType(name, "an integer", *value);
  return value->Integer();
}

bool CallArguments::FlagOr(size_t i, std::string_view name, bool absent) const {
  const Value* value = Find(i, name);
  return value == nullptr ? absent : value->Truth();
}

const Text* CallArguments::TextIfAny(size_t i, std::string_view name) const {
  const Value* value = Find(i, name);
  if (value == nullptr || value->IsNone()) return nullptr;
  if (!value->IsString()) FailType(name, "a string", *value);
  return value->AsText();
}

const Value& CallArguments::Required(size_t i, std::string_view name) const {
  const Value* value = Find(i, name);
  if (value == nullptr) throw Error("argument '" + std::string(name) + "' is missing");
  return *value;
}

const Text& CallArguments::RequiredText(size_t i, std::string_view name) const {
  const Value& value = Required(i, name);
  if (!value.IsString()) FailType(name, "a string", value);
  return *value.AsText();
}

}  // namespace hearth::engine::jinja
