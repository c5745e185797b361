// Filters (value|name) and tests (value is name).
#pragma once

#include <string_view>

#include "engine/text/jinja_arguments.h"

namespace hearth::engine::jinja {

// Throw for a name that is not known, naming it.
Value CallFilter(std::string_view name, const Value& input, const CallArguments& arguments,
                 Budget& budget);
bool CallTest(std::string_view name, const Value& value, const CallArguments& arguments,
              Budget& budget);

// item in container.
bool IsIn(const Value& item, const Value& container, Budget& budget);

// value.name or value["name"] of a dict or namespace without its methods; undefined when absent.
Value ItemOrUndefined(const Value& value, const Value& key, Budget& budget);

}  // namespace hearth::engine::jinja
