// What an evaluation gives.
#pragma once

#include <string>
#include <vector>

#include "storage/promql/ast.h"
#include "storage/promql/series_source.h"

namespace hearth::promql {

// Remarks on a query that did not fail, in Prometheus's words, each once.
struct Annotations {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

// What an evaluation cost.
struct EvalStats {
  int64_t samples_read = 0;       // that the source gave
  int64_t samples_queryable = 0;  // looked at by all steps: a sample in n windows counts n times
  int64_t samples_peak = 0;       // held at a time
  double select_s = 0;            // waiting for the source
  double total_s = 0;
};

// The answer of a range query: series sorted by labels, samples at the steps that have one.
struct Matrix {
  std::vector<Series> series;
  Annotations annotations;
  EvalStats stats;
};

// The answer of an instant query. Which member counts is said by `type`.
struct Value {
  ValueType type = ValueType::kNone;
  Sample scalar;
  std::string string;
  std::vector<Series> series;  // kVector: one sample each, in the order of the answer; kMatrix
  Annotations annotations;
  EvalStats stats;
  int64_t time_ms = 0;
};

}  // namespace hearth::promql
