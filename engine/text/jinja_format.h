// Values as text, the way Python prints them.
#pragma once

#include <string>
#include <vector>

#include "engine/text/jinja_value.h"

namespace hearth::engine::jinja {

// str(value); nothing for undefined.
Text ToText(const Value& value, Budget& budget);

// repr(value): as ToText, but strings are quoted.
Text Repr(const Value& value, Budget& budget);

struct JsonStyle {
  bool ensure_ascii = false;
  int indent = -1;  // spaces per level; -1 = all on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};

// json.dumps(value). kInvalidArgument for undefined and for what is no JSON.
Text ToJson(const Value& value, const JsonStyle& style, Budget& budget);

// "format" % arguments, with %s %r %d %i %f %x %% and their flags, width and precision.
Text FormatPercent(const Text& format, const std::vector<Value>& arguments, Budget& budget);

}  // namespace hearth::engine::jinja
