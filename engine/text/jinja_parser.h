// Template source to tree.
#pragma once

#include <string_view>

#include "engine/text/jinja_ast.h"

namespace hearth::engine::jinja {

// Throws Error, with the line, for text that is no template of the subset.
Body ParseTemplate(std::string_view source);

}  // namespace hearth::engine::jinja
