// /api/usage: what usage data would be sent, whether it is, and the answer of the owner.
//   GET -> {"enabled": null|bool, "decided_by": "<in words>", "decider": ""|"environment"|"setting"|
//           "answer", "place", "can_change", "receiver", "interval_s", "due_ms": null|n,
//           "next_report": null|"<the bytes that are sent next>",
//           "example_report": "<a report as it would be now>",
//           "last": null|{"sent_ms", "status", "error"},
//           "fields": [{"name", "tag", "help", "value"}]}
//   PUT {"enabled": true|false} -> the same; 409 where something else has decided
#pragma once

#include <vector>

#include "firmware/http/http.h"
#include "firmware/usage/usage_reporter.h"

namespace hearth::api {

// `reporter` outlives the routes.
std::vector<http::Route> UsageRoutes(usage::UsageReporter* reporter);

}  // namespace hearth::api
