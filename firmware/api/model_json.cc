#include "firmware/api/model_json.h"

namespace hearth::api {

Json CrashJson(const std::optional<models::CrashRecord>& crash) {
  if (!crash) return nullptr;
  return Json{{"time_ms", crash->time_ms},
              {"replica", crash->replica},
              {"how", crash->how},
              {"where", crash->where},
              {"log", crash->log},
              {"requests_failed", crash->requests_failed},
              {"requests_requeued", crash->requests_requeued},
              {"safe_mode", crash->safe_mode}};
}

Json SloJson(const metrics::SloTargets& slo) {
  const auto ms = [](const std::optional<double>& seconds) {
    return seconds ? Json(*seconds * 1000) : Json(nullptr);
  };
  return Json{{"ttft_ms", ms(slo.ttft_s)}, {"tpot_ms", ms(slo.tpot_s)}, {"e2e_ms", ms(slo.e2e_s)}};
}

}  // namespace hearth::api
