#include "storage/promql/evaluator.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "storage/promql/evaluation.h"
#include "storage/promql/functions.h"
#include "storage/promql/lexer.h"
#include "storage/promql/windows.h"

namespace hearth::promql {

namespace {

Block ScalarBlock(double value, const Steps& steps) {
  Block block(1);
  block[0].values.assign(steps.count, value);
  return block;
}

void DropName(Block& block) {
  for (Column& column : block) column.labels.Set(kNameLabel, "");
}

Series ToSeries(Column column, const Steps& steps) {
  Series series;
  series.labels = std::move(column.labels);
  const auto absent = std::count_if(column.values.begin(), column.values.end(), IsAbsent);
  series.samples.reserve(steps.count - static_cast<size_t>(absent));
  for (size_t i = 0; i < steps.count; ++i) {
    if (!IsAbsent(column.values[i])) series.samples.push_back({steps.At(i), column.values[i]});
  }
  return series;
}

// Fills `values` with what `value_of` makes of the newest sample at or before each reference that is
// not older than the lookback. How many steps have one.
template <typename ValueOf>
size_t FillInstant(const std::vector<Sample>& samples, const std::vector<int64_t>& references_ms,
                   int64_t lookback_ms, ValueOf value_of, std::vector<double>& values) {
  size_t present = 0;
  SampleCursor cursor;
  for (size_t i = 0; i < references_ms.size(); ++i) {
    const size_t after = cursor.After(samples, references_ms[i]);
    if (after == 0) continue;
    const Sample& sample = samples[after - 1];
    if (sample.time_ms <= references_ms[i] - lookback_ms || IsAbsent(sample.value)) continue;
    values[i] = value_of(sample);
    ++present;
  }
  return present;
}

template <typename T>
void SortByLabels(std::vector<T>& list) {
  const auto before = [](const T& a, const T& b) { return a.labels < b.labels; };
  if (!std::is_sorted(list.begin(), list.end(), before)) {
    std::sort(list.begin(), list.end(), before);
  }
}

// Samples of work, some tens of microseconds, beside which a look at the clock costs nothing.
constexpr size_t kLookAtClock = size_t{1} << 15;

}  // namespace

double StaleMarker() { return kAbsent; }
bool IsStaleMarker(double value) { return IsAbsent(value); }

Status ExecutionError(std::string message) { return FailedPrecondition(std::move(message)); }

Result<Block> JoinSameLabels(Block block) {
  const auto hash = [](const Labels* labels) { return LabelsHash()(*labels); };
  const auto equal = [](const Labels* a, const Labels* b) { return *a == *b; };
  // Keys point into `block`, at columns that stay where they are.
  std::unordered_map<const Labels*, size_t, decltype(hash), decltype(equal)> places(
      block.size(), hash, equal);
  size_t kept = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const auto place = places.find(&block[i].labels);
    if (place == places.end()) {
      if (kept != i) block[kept] = std::move(block[i]);
      places.emplace(&block[kept].labels, kept);
      ++kept;
      continue;
    }
    std::vector<double>& joined = block[place->second].values;
    for (size_t step = 0; step < joined.size(); ++step) {
      const double value = block[i].values[step];
      if (IsAbsent(value)) continue;
      if (!IsAbsent(joined[step])) {
        return ExecutionError("vector cannot contain metrics with the same labelset");
      }
      joined[step] = value;
    }
  }
  block.resize(kept);
  return block;
}

Evaluation::Evaluation(const SeriesSource& source, const EvalOptions& options,
                       int64_t query_start_ms, int64_t query_end_ms)
    : source_(source),
      options_(options),
      query_start_ms_(query_start_ms),
      query_end_ms_(query_end_ms),
      start_s_(MonotonicSeconds()) {}

Status Evaluation::Charge(size_t samples) {
  samples_held_ += static_cast<int64_t>(samples);
  stats_.samples_peak = std::max(stats_.samples_peak, samples_held_);
  if (samples_held_ > options_.samples_max) {
    return ResourceExhausted(
        "query processing would load too many samples into memory in query execution");
  }
  return Status::Ok();
}

Status Evaluation::Work(size_t samples) {
  unclocked_work_ += samples;
  if (unclocked_work_ < kLookAtClock) return Status::Ok();
  unclocked_work_ = 0;
  if (MonotonicSeconds() - start_s_ > options_.timeout_s) {
    return DeadlineExceeded("query timed out in expression evaluation");
  }
  return Status::Ok();
}

EvalStats Evaluation::stats() const {
  EvalStats stats = stats_;
  stats.total_s = MonotonicSeconds() - start_s_;
  return stats;
}

Result<std::vector<Series>> Evaluation::Select(const Selector& selector, const Steps& steps) {
  const int64_t window_ms = selector.range_ms > 0 ? selector.range_ms : options_.lookback_ms;
  SelectHints hints;
  hints.start_ms = Reference(selector.shift, steps.start_ms) - window_ms;
  hints.end_ms = Reference(selector.shift, steps.At(steps.count - 1));
  hints.step_ms = steps.count > 1 ? steps.step_ms : 0;
  hints.range_ms = selector.range_ms;
  const double begin_s = MonotonicSeconds();
  HEARTH_ASSIGN_OR_RETURN(std::vector<Series> selected, source_.Select(selector.matchers, hints));
  stats_.select_s += MonotonicSeconds() - begin_s;
  size_t samples = 0;
  for (const Series& series : selected) samples += series.samples.size();
  stats_.samples_read += static_cast<int64_t>(samples);
  HEARTH_RETURN_IF_ERROR(Charge(samples));
  HEARTH_RETURN_IF_ERROR(Work(kLookAtClock));
  return selected;
}

void Evaluation::Annotate(std::vector<std::string>& list, std::string message, const Expr& where) {
  const auto begin = std::min(static_cast<size_t>(where.begin), options_.query.size());
  message += " (" + LineAndColumn(options_.query, static_cast<int>(begin)) + ")";
  if (std::find(list.begin(), list.end(), message) == list.end())
    list.push_back(std::move(message));
}

void Evaluation::Warn(const std::string& message, const Expr& where) {
  Annotate(annotations_.warnings, "PromQL warning: " + message, where);
}

void Evaluation::Inform(const std::string& message, const Expr& where) {
  Annotate(annotations_.infos, "PromQL info: " + message, where);
}

int64_t Evaluation::Reference(const TimeShift& shift, int64_t time_ms) const {
  switch (shift.at_edge) {
    case TimeShift::Edge::kStart: time_ms = query_start_ms_; break;
    case TimeShift::Edge::kEnd: time_ms = query_end_ms_; break;
    case TimeShift::Edge::kNone: time_ms = shift.at_ms.value_or(time_ms); break;
  }
  return time_ms - shift.offset_ms;
}

Result<Block> Evaluation::Eval(const Expr& expr, const Steps& steps) {
  const int64_t held_before = samples_held_;
  HEARTH_ASSIGN_OR_RETURN(
      Block block,
      std::visit([&](const auto& node) { return EvalNode(expr, node, steps); }, expr.node));
  HEARTH_RETURN_IF_ERROR(Work(kLookAtClock));
  samples_held_ = held_before;
  HEARTH_RETURN_IF_ERROR(Charge(block.size() * steps.count));
  return block;
}

Result<std::vector<double>> Evaluation::EvalScalar(const Expr& expr, const Steps& steps) {
  HEARTH_ASSIGN_OR_RETURN(Block block, Eval(expr, steps));
  return std::move(block.front().values);
}

Result<Block> Evaluation::EvalSelector(const Selector& selector, const Steps& steps,
                                       bool timestamps) {
  HEARTH_ASSIGN_OR_RETURN(std::vector<Series> selected, Select(selector, steps));
  std::vector<int64_t> references_ms(steps.count);
  for (size_t i = 0; i < steps.count; ++i) {
    references_ms[i] = Reference(selector.shift, steps.At(i));
  }
  Block block;
  for (Series& series : selected) {
    HEARTH_RETURN_IF_ERROR(Work(steps.count));
    Column column;
    column.values.assign(steps.count, kAbsent);
    const size_t present =
        timestamps
            ? FillInstant(series.samples, references_ms, options_.lookback_ms,
                          [](const Sample& s) { return static_cast<double>(s.time_ms) / 1000; },
                          column.values)
            : FillInstant(series.samples, references_ms, options_.lookback_ms,
                          [](const Sample& s) { return s.value; }, column.values);
    if (present == 0) continue;
    CountQueryable(present);
    column.labels = std::move(series.labels);
    block.push_back(std::move(column));
  }
  SortByLabels(block);
  return block;
}

Result<RangeVector> Evaluation::EvalRangeVector(const Expr& expr, const Steps& steps) {
  const Expr& inner = WithoutParens(expr);
  if (const auto* subquery = std::get_if<Subquery>(&inner.node))
    return EvalSubquery(*subquery, steps);
  const auto& selector = std::get<Selector>(inner.node);
  HEARTH_ASSIGN_OR_RETURN(std::vector<Series> selected, Select(selector, steps));
  RangeVector result;
  result.range_ms = selector.range_ms;
  result.shift = selector.shift;
  for (Series& series : selected) {
    result.series.push_back({std::move(series.labels), std::move(series.samples)});
  }
  SortByLabels(result.series);
  return result;
}

Result<RangeVector> Evaluation::EvalSubquery(const Subquery& subquery, const Steps& steps) {
  RangeVector result;
  result.range_ms = subquery.range_ms;
  result.shift = subquery.shift;
  Steps inner;
  inner.step_ms = subquery.step_ms > 0 ? subquery.step_ms : options_.subquery_step_ms;
  // The inner steps lie at multiples of the step, whatever the time of the query.
  const int64_t after = Reference(subquery.shift, steps.start_ms) - subquery.range_ms;
  inner.start_ms = inner.step_ms * (after / inner.step_ms);
  if (inner.start_ms <= after) inner.start_ms += inner.step_ms;
  inner.end_ms = Reference(subquery.shift, steps.At(steps.count - 1));
  if (inner.end_ms < inner.start_ms) return result;
  inner.count = static_cast<size_t>((inner.end_ms - inner.start_ms) / inner.step_ms) + 1;
  HEARTH_RETURN_IF_ERROR(Charge(inner.count));
  HEARTH_ASSIGN_OR_RETURN(Block block, Eval(*subquery.expr, inner));
  for (Column& column : block) {
    Series series = ToSeries(std::move(column), inner);
    result.series.push_back({std::move(series.labels), std::move(series.samples)});
  }
  return result;
}

Result<Block> Evaluation::EvalNode(const Expr&, const NumberLiteral& literal, const Steps& steps) {
  return ScalarBlock(literal.value, steps);
}

Result<Block> Evaluation::EvalNode(const Expr&, const StringLiteral& literal, const Steps&) {
  return Internal("a string is no vector: " + literal.value);
}

Result<Block> Evaluation::EvalNode(const Expr&, const Selector& selector, const Steps& steps) {
  return EvalSelector(selector, steps, false);
}

Result<Block> Evaluation::EvalNode(const Expr&, const Subquery&, const Steps&) {
  return Internal("a range vector is no instant vector");
}

Result<Block> Evaluation::EvalNode(const Expr&, const Paren& paren, const Steps& steps) {
  return Eval(*paren.expr, steps);
}

Result<Block> Evaluation::EvalNode(const Expr&, const Unary& unary, const Steps& steps) {
  HEARTH_ASSIGN_OR_RETURN(Block block, Eval(*unary.expr, steps));
  if (!unary.minus) return block;
  for (Column& column : block) {
    for (double& value : column.values) {
      if (!IsAbsent(value)) value = -value;
    }
  }
  DropName(block);
  return JoinSameLabels(std::move(block));
}

Result<Block> Evaluation::EvalNode(const Expr&, const Aggregate& aggregate, const Steps& steps) {
  return EvalAggregate(*this, aggregate, steps);
}

Result<Block> Evaluation::EvalNode(const Expr&, const Binary& binary, const Steps& steps) {
  return EvalBinary(*this, binary, steps);
}

Result<Block> Evaluation::EvalNode(const Expr& expr, const Call& call, const Steps& steps) {
  const Function& function = *call.function;
  const CallContext context{*this, expr, call, steps};
  if (const auto* map = std::get_if<MapFunction>(&function.implementation)) {
    HEARTH_ASSIGN_OR_RETURN(Block block, Eval(*call.args.front(), steps));
    for (Column& column : block) {
      for (double& value : column.values) {
        if (!IsAbsent(value)) value = (*map)(value);
      }
    }
    DropName(block);
    return JoinSameLabels(std::move(block));
  }
  if (const auto* range = std::get_if<RangeFunction>(&function.implementation)) {
    return ApplyRangeFunction(context, *range, function.keeps_name);
  }
  return std::get<BlockFunction>(function.implementation)(context);
}

Result<Value> EvalInstant(const SeriesSource& source, const Expr& expr, int64_t time_ms,
                          const EvalOptions& options) {
  Value value;
  value.type = expr.type();
  value.time_ms = time_ms;
  const Steps steps{time_ms, time_ms, 1, 1};
  Evaluation evaluation(source, options, time_ms, time_ms);
  if (value.type == ValueType::kString) {
    value.string = std::get<StringLiteral>(WithoutParens(expr).node).value;
    return value;
  }
  if (value.type == ValueType::kMatrix) {
    HEARTH_ASSIGN_OR_RETURN(RangeVector range, evaluation.EvalRangeVector(expr, steps));
    for (RangeSeries& series : range.series) {
      std::erase_if(series.samples, [](const Sample& sample) { return IsAbsent(sample.value); });
      if (series.samples.empty()) continue;
      value.series.push_back({std::move(series.labels), std::move(series.samples)});
    }
  } else {
    HEARTH_ASSIGN_OR_RETURN(Block block, evaluation.Eval(expr, steps));
    if (value.type == ValueType::kScalar) {
      value.scalar = {time_ms, block.front().values.front()};
    } else {
      for (Column& column : block) {
        if (!IsAbsent(column.values.front()))
          value.series.push_back(ToSeries(std::move(column), steps));
      }
    }
  }
  value.annotations = std::move(evaluation.annotations());
  value.stats = evaluation.stats();
  return value;
}

Result<Matrix> EvalRange(const SeriesSource& source, const Expr& expr, int64_t start_ms,
                         int64_t end_ms, int64_t step_ms, const EvalOptions& options) {
  const ValueType type = expr.type();
  if (type != ValueType::kScalar && type != ValueType::kVector) {
    return InvalidArgument("invalid expression type " + Quote(DocumentedName(type)) +
                           " for range query, must be Scalar or instant Vector");
  }
  if (step_ms <= 0 || end_ms < start_ms) {
    return InvalidArgument("a range query needs a step above 0 and an end not before its start");
  }
  const Steps steps{start_ms, end_ms, step_ms,
                    static_cast<size_t>((end_ms - start_ms) / step_ms) + 1};
  Evaluation evaluation(source, options, start_ms, end_ms);
  HEARTH_RETURN_IF_ERROR(evaluation.Charge(steps.count));
  HEARTH_ASSIGN_OR_RETURN(Block block, evaluation.Eval(expr, steps));
  Matrix matrix;
  for (Column& column : block) {
    Series series = ToSeries(std::move(column), steps);
    if (!series.samples.empty()) matrix.series.push_back(std::move(series));
  }
  SortByLabels(matrix.series);
  matrix.annotations = std::move(evaluation.annotations());
  matrix.stats = evaluation.stats();
  return matrix;
}

}  // namespace hearth::promql
