// /v1/models, /v1/chat/completions, /v1/completions.
#pragma once

#include <vector>

#include "firmware/api/request_log.h"
#include "firmware/http/http.h"
#include "firmware/metrics/request_ledger.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// All outlive the routes. Every request to a model is in `ledger` and `log` once.
std::vector<http::Route> OpenAiRoutes(models::ModelManager* models, metrics::RequestLedger* ledger,
                                      RequestLog* log);

}  // namespace hearth::api
