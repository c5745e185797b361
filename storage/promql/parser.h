// Text to tree, by precedence climbing.
#pragma once

#include <string_view>

#include "base/result.h"
#include "storage/promql/ast.h"

namespace hearth::promql {

// Trees deeper than this are refused: evaluating and destroying them recurses.
inline constexpr int kExprDepthMax = 100;

// Parses and checks types. kInvalidArgument with Prometheus's words, position first:
// "1:5: parse error: unexpected end of input".
Result<ExprPtr> Parse(std::string_view input);

// `{job="a"}`, `up`: the matchers of one instant selector, as the `match[]` parameter takes them.
Result<std::vector<Matcher>> ParseMatchers(std::string_view input);

// "5m", "1h30m", "1.5" (seconds) to milliseconds; kInvalidArgument when neither.
Result<int64_t> ParseDurationMs(std::string_view text);

}  // namespace hearth::promql
