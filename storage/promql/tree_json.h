// A parsed expression in the JSON of /api/v1/parse_query, which Prometheus's own page draws.
#pragma once

#include "base/json.h"
#include "storage/promql/ast.h"

namespace hearth::promql {

Json TreeJson(const Expr& expr);

}  // namespace hearth::promql
