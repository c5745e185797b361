// The evaluator's inside: blocks of columns and the context that functions work in.
//
// A column holds one value per step. A step without a sample holds the stale marker's bits, which
// no computation yields, so presence needs no second array.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/promql/ast.h"
#include "storage/promql/evaluator.h"

namespace hearth::promql {

inline constexpr uint64_t kAbsentBits = 0x7ff0000000000002;
inline constexpr double kAbsent = std::bit_cast<double>(kAbsentBits);
inline bool IsAbsent(double value) { return std::bit_cast<uint64_t>(value) == kAbsentBits; }

inline const std::string kNameLabel = "__name__";

struct Steps {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 1;
  size_t count = 1;

  int64_t At(size_t step) const { return start_ms + static_cast<int64_t>(step) * step_ms; }
};

struct Column {
  Labels labels;
  std::vector<double> values;
};

// A scalar is one column without labels and without absent steps.
using Block = std::vector<Column>;

// One series of a range vector; stale markers are still in it.
struct RangeSeries {
  Labels labels;
  std::vector<Sample> samples;
};

struct RangeVector {
  std::vector<RangeSeries> series;
  int64_t range_ms = 0;
  TimeShift shift;
};

// Fails with "vector cannot contain metrics with the same labelset" where two columns of the same
// labels have a sample at one step, and joins them otherwise.
Result<Block> JoinSameLabels(Block block);

Status ExecutionError(std::string message);

class Evaluation {
 public:
  Evaluation(const SeriesSource& source, const EvalOptions& options, int64_t query_start_ms,
             int64_t query_end_ms);

  // `expr` is a scalar or an instant vector.
  Result<Block> Eval(const Expr& expr, const Steps& steps);

  // The samples that the windows of all steps of a range vector touch.
  Result<RangeVector> EvalRangeVector(const Expr& expr, const Steps& steps);

  // A scalar's values, one per step.
  Result<std::vector<double>> EvalScalar(const Expr& expr, const Steps& steps);

  // An instant selector; the samples' own times in seconds instead of values if `timestamps`.
  Result<Block> EvalSelector(const Selector& selector, const Steps& steps, bool timestamps);

  // The time a selector or subquery looks at in a step at `time_ms`.
  int64_t Reference(const TimeShift& shift, int64_t time_ms) const;

  void Warn(const std::string& message, const Expr& where);
  void Inform(const std::string& message, const Expr& where);
  Annotations& annotations() { return annotations_; }

  // Takes samples into memory: counts them against the bound. Eval() gives back what an expression
  // took when it is evaluated, but for its result.
  Status Charge(size_t samples);

  // Called by long loops, with about how many samples they have looked at since the last call: looks
  // at the clock now and then.
  Status Work(size_t samples);

  // The source's answer, timed and charged.
  Result<std::vector<Series>> Select(const Selector& selector, const Steps& steps);

  void CountQueryable(size_t samples) { stats_.samples_queryable += static_cast<int64_t>(samples); }
  EvalStats stats() const;

 private:
  Result<Block> EvalNode(const Expr& expr, const NumberLiteral& literal, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const StringLiteral& literal, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const Selector& selector, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const Subquery& subquery, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const Call& call, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const Aggregate& aggregate, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const Binary& binary, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const Unary& unary, const Steps& steps);
  Result<Block> EvalNode(const Expr& expr, const Paren& paren, const Steps& steps);

  Result<RangeVector> EvalSubquery(const Subquery& subquery, const Steps& steps);
  void Annotate(std::vector<std::string>& list, std::string message, const Expr& where);

  const SeriesSource& source_;
  const EvalOptions& options_;
  const int64_t query_start_ms_;
  const int64_t query_end_ms_;
  const double start_s_;  // on the monotonic clock
  int64_t samples_held_ = 0;
  size_t unclocked_work_ = 0;
  EvalStats stats_;
  Annotations annotations_;
};

// aggregate.cc
Result<Block> EvalAggregate(Evaluation& evaluation, const Aggregate& aggregate, const Steps& steps);
// binary.cc
Result<Block> EvalBinary(Evaluation& evaluation, const Binary& binary, const Steps& steps);

}  // namespace hearth::promql
