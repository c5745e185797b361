// GET /api/v1/rules and /api/v1/alerts, in Prometheus's shape.
//
// /rules takes type=alert|record, rule_name[], rule_group[], file[], match[], exclude_alerts, and
// group_limit with group_next_token to page over groups.
#pragma once

#include <functional>
#include <vector>

#include "firmware/http/http.h"
#include "storage/rules/evaluator.h"

namespace hearth::api {

// Called by any thread.
using RuleGroupsFunction = std::function<std::vector<rules::GroupStatus>()>;

std::vector<http::Route> RulesRoutes(RuleGroupsFunction groups);

}  // namespace hearth::api
