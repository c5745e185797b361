// How the endpoints under /api/v1 answer: Prometheus's envelope, error types and HTTP statuses.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "firmware/http/http.h"
#include "storage/promql/value.h"

namespace hearth::api {

// The JSON of "data", and the remarks that follow it.
struct Answer {
  std::string data;
  promql::Annotations annotations;
};

// A failure's code chooses the errorType: kInvalidArgument is bad_data (400), kFailedPrecondition
// and kResourceExhausted are execution (422), kDeadlineExceeded is timeout (503).
using Work = std::function<Result<Answer>(const http::Request&)>;

// /api/v1/<path>, compressed for who accepts gzip.
http::Route PrometheusRoute(std::string method, const std::string& path, Work work);

}  // namespace hearth::api
