// Parameters of Prometheus's API: times, durations and limits, refused in Prometheus's words.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "firmware/http/http.h"
#include "storage/promql/series_source.h"

namespace hearth::api {

// What an optional start or end means when it is absent.
inline constexpr int64_t kMinTimeMs = std::numeric_limits<int64_t>::min() / 4;
inline constexpr int64_t kMaxTimeMs = std::numeric_limits<int64_t>::max() / 4;

// kInvalidArgument: invalid parameter "name": what
Status BadParameter(std::string_view name, const std::string& what);

// Unix seconds or RFC 3339, in milliseconds; `absent_ms` when it is not given.
Result<int64_t> TimeParameter(const http::Request& request, std::string_view name,
                              int64_t absent_ms);
Result<int64_t> RequiredTime(const http::Request& request, std::string_view name);

// Milliseconds of "15", "0.5" (seconds) or "1h30m".
Result<int64_t> ParseDurationText(const std::string& text);
Result<int64_t> DurationParameter(const http::Request& request, std::string_view name);

// The "limit" of an answer's length; 0: none.
Result<size_t> LimitParameter(const http::Request& request);

// A whole number as Go's Atoi reads it; the error is Go's.
Result<int64_t> ParseGoInteger(const std::string& text);

// Every `match[]`; the error has no parameter's name in it.
Result<std::vector<std::vector<promql::Matcher>>> MatcherSets(const http::Request& request);

}  // namespace hearth::api
