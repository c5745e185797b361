#include "storage/promql/functions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "storage/promql/block_functions.h"
#include "storage/promql/lexer.h"
#include "storage/promql/range_functions.h"

namespace hearth::promql {

namespace {

constexpr ValueType kScalar = ValueType::kScalar;
constexpr ValueType kVector = ValueType::kVector;
constexpr ValueType kMatrix = ValueType::kMatrix;
constexpr ValueType kString = ValueType::kString;

Function Map(std::string_view name, MapFunction function) {
  return {name, {kVector}, 0, kVector, function};
}

Function Range(std::string_view name, RangeFunction function, bool keeps_name = false) {
  return {name, {kMatrix}, 0, kVector, function, keeps_name};
}

Function Date(std::string_view name, BlockFunction function) {
  return {name, {kVector}, 1, kVector, function};
}

double Sign(double value) { return value < 0 ? -1 : value > 0 ? 1 : value; }

// Sorted by name.
std::vector<Function> MakeTable() {
  std::vector<Function> table = {
      {"absent", {kVector}, 0, kVector, Absent},
      {"absent_over_time", {kMatrix}, 0, kVector, AbsentOverTime},
      {"clamp", {kVector, kScalar, kScalar}, 0, kVector, Clamp},
      {"clamp_max", {kVector, kScalar}, 0, kVector, ClampMax},
      {"clamp_min", {kVector, kScalar}, 0, kVector, ClampMin},
      {"histogram_quantile", {kScalar, kVector}, 0, kVector, HistogramQuantile},
      {"label_join", {kVector, kString, kString, kString}, -1, kVector, LabelJoin},
      {"label_replace", {kVector, kString, kString, kString, kString}, 0, kVector, LabelReplace},
      {"pi", {}, 0, kScalar, Pi},
      {"predict_linear", {kMatrix, kScalar}, 0, kVector, PredictLinear},
      {"quantile_over_time", {kScalar, kMatrix}, 0, kVector, QuantileOverTimeChecked},
      {"round", {kVector, kScalar}, 1, kVector, Round},
      {"scalar", {kVector}, 0, kScalar, ScalarOf},
      {"sort", {kVector}, 0, kVector, Sort},
      {"sort_desc", {kVector}, 0, kVector, SortDescending},
      {"time", {}, 0, kScalar, Time},
      {"timestamp", {kVector}, 0, kVector, Timestamp},
      {"vector", {kScalar}, 0, kVector, VectorOf},
      Range("avg_over_time", AvgOverTime),
      Range("changes", Changes),
      Range("count_over_time", CountOverTime),
      Range("delta", Delta),
      Range("deriv", Derivative),
      Range("idelta", InstantDelta),
      Range("increase", Increase),
      Range("irate", InstantRate),
      Range("last_over_time", LastOverTime, true),
      Range("max_over_time", MaxOverTime),
      Range("min_over_time", MinOverTime),
      Range("present_over_time", PresentOverTime),
      Range("rate", Rate),
      Range("resets", Resets),
      Range("stddev_over_time", StddevOverTime),
      Range("stdvar_over_time", StdvarOverTime),
      Range("sum_over_time", SumOverTime),
      Map("abs", [](double v) { return std::abs(v); }),
      Map("acos", [](double v) { return std::acos(v); }),
      Map("acosh", [](double v) { return std::acosh(v); }),
      Map("asin", [](double v) { return std::asin(v); }),
      Map("asinh", [](double v) { return std::asinh(v); }),
      Map("atan", [](double v) { return std::atan(v); }),
      Map("atanh", [](double v) { return std::atanh(v); }),
      Map("ceil", [](double v) { return std::ceil(v); }),
      Map("cos", [](double v) { return std::cos(v); }),
      Map("cosh", [](double v) { return std::cosh(v); }),
      Map("deg", [](double v) { return v * 180 / std::numbers::pi; }),
      Map("exp", [](double v) { return std::exp(v); }),
      Map("floor", [](double v) { return std::floor(v); }),
      Map("ln", [](double v) { return std::log(v); }),
      Map("log10", [](double v) { return std::log10(v); }),
      Map("log2", [](double v) { return std::log2(v); }),
      Map("rad", [](double v) { return v * std::numbers::pi / 180; }),
      Map("sgn", Sign),
      Map("sin", [](double v) { return std::sin(v); }),
      Map("sinh", [](double v) { return std::sinh(v); }),
      Map("sqrt", [](double v) { return std::sqrt(v); }),
      Map("tan", [](double v) { return std::tan(v); }),
      Map("tanh", [](double v) { return std::tanh(v); }),
      Date("day_of_month", DayOfMonth),
      Date("day_of_week", DayOfWeek),
      Date("day_of_year", DayOfYear),
      Date("days_in_month", DaysInMonth),
      Date("hour", Hour),
      Date("minute", Minute),
      Date("month", Month),
      Date("year", Year),
  };
  std::sort(table.begin(), table.end(),
            [](const Function& a, const Function& b) { return a.name < b.name; });
  return table;
}

bool LooksLikeCounter(const std::string& name) {
  for (const std::string_view suffix : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(suffix)) return true;
  }
  return false;
}

// Applies the function in portions, between which the clock is looked at.
Status ApplyToSteps(Evaluation& evaluation, const SeriesWindows& windows, size_t steps,
                    RangeFunction function, std::vector<double>& values) {
  constexpr size_t kPortion = size_t{1} << 20;  // samples looked at, some milliseconds
  StepSpan span;
  size_t work = 0;
  for (size_t step = 0; step < steps; ++step) {
    work += windows.size(step);
    if (work < kPortion && step + 1 < steps) continue;
    span.end = step + 1;
    function(windows, span, values.data());
    span.begin = span.end;
    evaluation.CountQueryable(work);
    HEARTH_RETURN_IF_ERROR(evaluation.Work(work + steps));
    work = 0;
  }
  return Status::Ok();
}

}  // namespace

const Function* FindFunction(std::string_view name) {
  static const std::vector<Function> table = MakeTable();
  const auto found = std::lower_bound(
      table.begin(), table.end(), name,
      [](const Function& function, std::string_view n) { return function.name < n; });
  return found != table.end() && found->name == name ? &*found : nullptr;
}

Result<Block> ApplyRangeFunction(const CallContext& context, RangeFunction function,
                                 bool keeps_name) {
  const Steps& steps = context.steps;
  Evaluation& evaluation = context.evaluation;
  const Expr* range_expr = nullptr;
  std::vector<std::vector<double>> scalars;
  for (const ExprPtr& arg : context.call.args) {
    if (arg->type() == ValueType::kMatrix) {
      range_expr = arg.get();
    } else {
      HEARTH_ASSIGN_OR_RETURN(std::vector<double> values, evaluation.EvalScalar(*arg, steps));
      scalars.push_back(std::move(values));
    }
  }
  HEARTH_ASSIGN_OR_RETURN(RangeVector range, evaluation.EvalRangeVector(*range_expr, steps));
  const bool counts =
      context.call.function->name == "rate" || context.call.function->name == "increase";
  SeriesWindows windows(evaluation, steps, range.shift, range.range_ms, scalars);
  Block block;
  for (RangeSeries& series : range.series) {
    HEARTH_RETURN_IF_ERROR(evaluation.Charge(steps.count));
    Column column{std::move(series.labels), std::vector<double>(steps.count, kAbsent)};
    windows.Cut(series.samples);
    HEARTH_RETURN_IF_ERROR(
        ApplyToSteps(evaluation, windows, steps.count, function, column.values));
    if (std::all_of(column.values.begin(), column.values.end(), IsAbsent)) continue;
    const std::string& name = column.labels.Get(kNameLabel);
    if (counts && !name.empty() && !LooksLikeCounter(name)) {
      evaluation.Inform("metric might not be a counter, name does not end in "
                        "_total/_sum/_count/_bucket: " + Quote(name), *range_expr);
    }
    if (!keeps_name) column.labels.Set(kNameLabel, "");
    block.push_back(std::move(column));
  }
  return JoinSameLabels(std::move(block));
}

}  // namespace hearth::promql
