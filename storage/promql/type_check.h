// The rules a tree must keep beyond grammar: argument types and counts, matching, selectors.
#pragma once

#include <string_view>

#include "base/status.h"
#include "storage/promql/ast.h"

namespace hearth::promql {

// kInvalidArgument with the first broken rule; `input` is the text `expr` was parsed from.
Status CheckTypes(std::string_view input, const Expr& expr);

}  // namespace hearth::promql
