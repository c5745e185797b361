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

// The answer of a range query: series sorted by labels, samples at the steps that have one.
struct Matrix {
  std::vector<Series> series;
  Annotations annotations;
};

// The answer of an instant query. Which member counts is said by `type`.
struct Value {
  ValueType type = ValueType::kNone;
  Sample scalar;
  std::string string;
  std::vector<Series> series;  // kVector: one sample each, in the order of the answer; kMatrix
  Annotations annotations;
  int64_t time_ms = 0;
};

}  // namespace hearth::promql
