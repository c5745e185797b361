// Evaluates a PromQL tree over a SeriesSource, every step of a range at once.
//
// Errors: kFailedPrecondition for an execution error (matching, duplicate label sets),
// kResourceExhausted when too many samples are touched, kDeadlineExceeded after the timeout, all in
// Prometheus's words; whatever the source returns otherwise.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "storage/promql/ast.h"
#include "storage/promql/series_source.h"
#include "storage/promql/value.h"

namespace hearth::promql {

struct EvalOptions {
  int64_t lookback_ms = 5 * 60 * 1000;
  int64_t subquery_step_ms = 60 * 1000;  // of [5m:] without a step
  int64_t samples_max = limits::kQuerySamplesMax;
  double timeout_s = limits::kQueryTimeoutS;
  std::string_view query =
      {};  // the text `expr` was parsed from; annotations name line and column in it
};

Result<Value> EvalInstant(const SeriesSource& source, const Expr& expr, int64_t time_ms,
                          const EvalOptions& options = {});

// Steps start_ms, start_ms + step_ms, ... <= end_ms; step_ms > 0. `expr` is a scalar or an instant
// vector; kInvalidArgument otherwise.
Result<Matrix> EvalRange(const SeriesSource& source, const Expr& expr, int64_t start_ms,
                         int64_t end_ms, int64_t step_ms, const EvalOptions& options = {});

// The bits Prometheus stores where a series ended. A source may hand such a sample out: the series
// is then absent until its next sample.
double StaleMarker();
bool IsStaleMarker(double value);

}  // namespace hearth::promql
