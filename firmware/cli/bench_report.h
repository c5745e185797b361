// What a run of load says, in figures.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/cli/bench_run.h"

namespace hearth::cli {

// Between the two values that lie nearest, as numpy and vLLM's benchmark do. `values` ascend and are
// not empty; share is 0 to 1.
double Percentile(const std::vector<double>& values, double share);

// ttft_ms, tpot_ms, itl_ms, e2e_ms, send_delay_ms: {"mean", "p50", "p90", "p99", "max"} or null where
// nothing was measured; tokens and requests a second; errors by message.
//   TTFT  from the due time to the first text
//   TPOT  (last text - first text) / (tokens - 1), of one request
//   ITL   each gap between two pieces of text, of all requests
//   E2E   from the due time to the end
// send_delay: how late this client sent, which TTFT and E2E include.
Json ReportOf(const BenchResult& result);

std::string ReportText(const Json& report);

}  // namespace hearth::cli
