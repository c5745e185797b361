// Runs a parsed template.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/text/jinja_arguments.h"
#include "engine/text/jinja_ast.h"

namespace hearth::engine::jinja {

using Variables = std::map<std::string, Value, std::less<>>;

// The text that `body` gives with `variables`. Throws Error for what the template refuses or gets
// wrong, and when a budget is spent.
Text RenderTemplate(const Body& body, Variables variables);

}  // namespace hearth::engine::jinja
