// The table of PromQL's functions: name, argument types, implementation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "storage/promql/ast.h"
#include "storage/promql/evaluation.h"

namespace hearth::promql {

// What a function over a range vector sees at one step: never empty.
struct Window {
  std::span<const Sample> samples;
  // Where the series fell below the sample before: indices into the series, whose first sample in
  // the window has index `first`. Only those whose both samples are in the window.
  std::span<const uint32_t> resets;
  size_t first = 0;
  int64_t start_ms = 0;  // exclusive
  int64_t end_ms = 0;    // inclusive
  int64_t time_ms = 0;   // of the step
  std::span<const double> args;  // the scalar arguments at this step
};

struct CallContext {
  Evaluation& evaluation;
  const Expr& expr;
  const Call& call;
  const Steps& steps;
};

// One float to one float; drops the metric name.
using MapFunction = double (*)(double value);
// One range to one float, kAbsent for none; drops the metric name unless `keeps_name`.
using RangeFunction = double (*)(const Window& window);
// Everything else.
using BlockFunction = Result<Block> (*)(const CallContext& context);

struct Function {
  std::string_view name;
  std::vector<ValueType> args;
  int variadic;  // 0: exactly `args`; n: the last may be absent or given up to n times; -1: any
                 // number
  ValueType returns;
  std::variant<MapFunction, RangeFunction, BlockFunction> implementation;
  bool keeps_name = false;
};

// Null for an unknown name. Names are case-sensitive.
const Function* FindFunction(std::string_view name);

// Applies a function to every window of a range vector.
Result<Block> ApplyRangeFunction(const CallContext& context, RangeFunction function,
                                 bool keeps_name);

}  // namespace hearth::promql
