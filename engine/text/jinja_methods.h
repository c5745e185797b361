// Methods of strings and dicts, and the global functions.
#pragma once

#include <string_view>

#include "engine/text/jinja_arguments.h"

namespace hearth::engine::jinja {

bool HasMethod(const Value& self, std::string_view name);

// Requires HasMethod(self, name).
Value CallMethod(const Value& self, std::string_view name, const CallArguments& arguments,
                 Budget& budget);

// range, namespace, dict, raise_exception and strftime_now.
bool IsGlobalFunction(std::string_view name);
Value CallGlobalFunction(std::string_view name, const CallArguments& arguments, Budget& budget);

}  // namespace hearth::engine::jinja
