// The table of PromQL's functions: name, argument types, implementation.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "storage/promql/ast.h"
#include "storage/promql/evaluation.h"
#include "storage/promql/windows.h"

namespace hearth::promql {

struct CallContext {
  Evaluation& evaluation;
  const Expr& expr;
  const Call& call;
  const Steps& steps;
};

// One float to one float; drops the metric name.
using MapFunction = double (*)(double value);
// The windows of some steps of one series to a float each, in `values` by step; steps whose window
// is empty are left as they are, kAbsent stands for none. Drops the metric name unless `keeps_name`.
using RangeFunction = void (*)(const SeriesWindows& windows, StepSpan steps, double* values);
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
