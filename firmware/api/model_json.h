// What several answers say of a model, each in one shape.
#pragma once

#include <optional>

#include "base/json.h"
#include "firmware/metrics/slo.h"
#include "firmware/models/replica.h"

namespace hearth::api {

// {"time_ms","replica","how","where","log","requests_failed","requests_requeued","safe_mode"}; null
// for none.
Json CrashJson(const std::optional<models::CrashRecord>& crash);

// {"ttft_ms","tpot_ms","e2e_ms"}; null where there is no target.
Json SloJson(const metrics::SloTargets& slo);

}  // namespace hearth::api
