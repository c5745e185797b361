// /v1/models, /v1/chat/completions, /v1/completions.
#pragma once

#include <vector>

#include "firmware/http/http.h"
#include "firmware/metrics/request_ledger.h"
#include "firmware/models/model_manager.h"

namespace hearth::api {

// Both outlive the routes.
std::vector<http::Route> OpenAiRoutes(models::ModelManager* models,
                                      metrics::RequestLedger* ledger);

}  // namespace hearth::api
