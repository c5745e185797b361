// The evaluated arguments of a call, a filter or a test.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/text/jinja_value.h"

namespace hearth::engine::jinja {

struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // Throws, naming `function`, for more positional arguments than `names` or a name not among them.
  void Check(std::string_view function, std::initializer_list<std::string_view> names) const;

  // The i-th positional argument or the one called `name`; null when absent.
  const Value* Find(size_t i, std::string_view name) const;

  // The argument, or `absent` (null for TextIfAny) when there is none or it is None. Throw for
  // another type.
  int64_t IntegerOr(size_t i, std::string_view name, int64_t absent) const;
  bool FlagOr(size_t i, std::string_view name, bool absent) const;  // any value, by its truth
  const Text* TextIfAny(size_t i, std::string_view name) const;

  // Throw when absent.
  const Value& Required(size_t i, std::string_view name) const;
  const Text& RequiredText(size_t i, std::string_view name) const;
};

}  // namespace hearth::engine::jinja
