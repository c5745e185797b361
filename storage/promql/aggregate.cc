// sum, avg, topk and their kin: columns into groups, every step at once.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "storage/promql/evaluation.h"
#include "storage/promql/float_format.h"
#include "storage/promql/kahan.h"
#include "storage/promql/quantile.h"

namespace hearth::promql {

namespace {

struct Group {
  Labels labels;
  std::vector<size_t> members;  // columns of the input
};

Labels GroupLabels(const Labels& labels, const Aggregate& aggregate) {
  std::vector<Labels::Pair> pairs;
  for (const Labels::Pair& pair : labels.pairs()) {
    const auto& grouping = aggregate.grouping;
    const bool named = std::find(grouping.begin(), grouping.end(), pair.first) != grouping.end();
    if (aggregate.without ? !named && pair.first != kNameLabel : named) pairs.push_back(pair);
  }
  return Labels(std::move(pairs));
}

// In the order in which their first members come.
std::vector<Group> MakeGroups(const Block& input, const Aggregate& aggregate) {
  std::vector<Group> groups;
  std::unordered_map<Labels, size_t, LabelsHash> places;
  for (size_t i = 0; i < input.size(); ++i) {
    Labels labels = GroupLabels(input[i].labels, aggregate);
    const auto [place, is_new] = places.try_emplace(labels, groups.size());
    if (is_new) groups.push_back({std::move(labels), {}});
    groups[place->second].members.push_back(i);
  }
  return groups;
}

// Folds the present values of one step; `Accumulator` has Add(double) and Result().
template <typename Accumulator>
std::vector<double> Fold(const Block& input, const Group& group, size_t steps) {
  std::vector<double> result(steps, kAbsent);
  std::vector<Accumulator> accumulators(steps);
  for (const size_t member : group.members) {
    const std::vector<double>& values = input[member].values;
    for (size_t step = 0; step < steps; ++step) {
      if (IsAbsent(values[step])) continue;
      accumulators[step].Add(values[step]);
      result[step] = 0;
    }
  }
  for (size_t step = 0; step < steps; ++step) {
    if (!IsAbsent(result[step])) result[step] = accumulators[step].Result();
  }
  return result;
}

// KahanSum of every step, without a branch: the sums of a panel are most of what aggregation does.
std::vector<double> FoldSum(const Block& input, const Group& group, size_t steps) {
  std::vector<double> sums(steps, 0);
  std::vector<double> compensations(steps, 0);
  std::vector<uint8_t> present(steps, 0);
  for (const size_t member : group.members) {
    const double* const values = input[member].values.data();
    for (size_t step = 0; step < steps; ++step) {
      const uint8_t counts = IsAbsent(values[step]) ? 0 : 1;
      const double value = counts != 0 ? values[step] : 0;
      const double sum = sums[step];
      const double total = sum + value;
      const double lost =
          std::abs(sum) >= std::abs(value) ? (sum - total) + value : (value - total) + sum;
      const double compensation = compensations[step] + lost;
      compensations[step] = std::isinf(total) ? 0 : compensation;
      sums[step] = total;
      present[step] |= counts;
    }
  }
  for (size_t step = 0; step < steps; ++step) {
    if (present[step] == 0) {
      sums[step] = kAbsent;
    } else if (!std::isinf(sums[step])) {
      sums[step] += compensations[step];
    }
  }
  return sums;
}

struct CountAccumulator {
  double count = 0;
  void Add(double) { ++count; }
  double Result() const { return count; }
};

struct OneAccumulator {
  void Add(double) {}
  double Result() const { return 1; }
};

template <typename Better>
struct ExtremeAccumulator {
  double best = std::numeric_limits<double>::quiet_NaN();
  void Add(double value) {
    if (std::isnan(best) || Better()(value, best)) best = value;
  }
  double Result() const { return best; }
};

struct StddevAccumulator : VarianceAccumulator {
  double Result() const { return std::sqrt(VarianceAccumulator::Result()); }
};

std::vector<double> FoldBy(AggregateOp op, const Block& input, const Group& group, size_t steps) {
  switch (op) {
    case AggregateOp::kSum: return FoldSum(input, group, steps);
    case AggregateOp::kAvg: return Fold<MeanAccumulator>(input, group, steps);
    case AggregateOp::kCount: return Fold<CountAccumulator>(input, group, steps);
    case AggregateOp::kMin: return Fold<ExtremeAccumulator<std::less<>>>(input, group, steps);
    case AggregateOp::kMax: return Fold<ExtremeAccumulator<std::greater<>>>(input, group, steps);
    case AggregateOp::kGroup: return Fold<OneAccumulator>(input, group, steps);
    case AggregateOp::kStddev: return Fold<StddevAccumulator>(input, group, steps);
    case AggregateOp::kStdvar: return Fold<VarianceAccumulator>(input, group, steps);
    default: break;
  }
  CHECK(false) << Name(op) << " is no fold";
  return {};
}

struct Ranked {
  double value;
  size_t member;
};

// The best first; NaN last; who comes first in the input among equals.
void KeepBest(bool top, double count, std::vector<Ranked>& list) {
  const auto better = [top](const Ranked& a, const Ranked& b) {
    if (std::isnan(a.value) || std::isnan(b.value)) {
      if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
    } else if (a.value != b.value) {
      return top ? a.value > b.value : a.value < b.value;
    }
    return a.member < b.member;
  };
  const bool all = count >= static_cast<double>(list.size());
  const size_t kept = all ? list.size() : static_cast<size_t>(count);
  const auto middle = list.begin() + static_cast<std::ptrdiff_t>(kept);
  std::partial_sort(list.begin(), middle, list.end(), better);
  list.resize(kept);
}

// Keeps the k best of each group and step; their columns keep all labels.
Result<Block> TopOrBottom(Evaluation& evaluation, const Aggregate& aggregate, const Block& input,
                          const std::vector<double>& counts, const Steps& steps) {
  const bool top = aggregate.op == AggregateOp::kTopk;
  for (const double count : counts) {
    if (std::isnan(count) || std::abs(count) >= 9.2e18) {
      return ExecutionError("Scalar value " + FloatText(count) + " overflows int64");
    }
  }
  Block result;
  for (const Column& column : input) {
    result.push_back({column.labels, std::vector<double>(steps.count, kAbsent)});
  }
  std::vector<size_t> order;  // of an instant answer: best first within each group
  std::vector<Ranked> present;
  for (const Group& group : MakeGroups(input, aggregate)) {
    for (size_t step = 0; step < steps.count; ++step) {
      HEARTH_RETURN_IF_ERROR(evaluation.Work(group.members.size()));
      present.clear();
      for (const size_t member : group.members) {
        const double value = input[member].values[step];
        if (!IsAbsent(value)) present.push_back({value, member});
      }
      KeepBest(top, std::max(counts[step], 0.0), present);
      for (const Ranked& kept : present) {
        result[kept.member].values[step] = kept.value;
        if (steps.count == 1) order.push_back(kept.member);
      }
    }
  }
  if (steps.count > 1) return result;
  Block ordered;
  for (const size_t member : order) ordered.push_back(std::move(result[member]));
  return ordered;
}

Result<Block> CountValues(const Aggregate& aggregate, const Block& input, const Steps& steps) {
  const std::string& label =
      std::get<StringLiteral>(WithoutParens(*aggregate.parameter).node).value;
  if (label.empty()) return ExecutionError("invalid label name " + label);
  std::map<Labels, size_t> places;
  Block result;
  for (const Column& column : input) {
    // Grouping by the new label itself would group by its old value.
    Labels labels = GroupLabels(column.labels, aggregate);
    for (size_t step = 0; step < steps.count; ++step) {
      if (IsAbsent(column.values[step])) continue;
      labels.Set(label, FloatText(column.values[step]));
      const auto [place, is_new] = places.try_emplace(labels, result.size());
      if (is_new) result.push_back({labels, std::vector<double>(steps.count, kAbsent)});
      double& count = result[place->second].values[step];
      count = IsAbsent(count) ? 1 : count + 1;
    }
  }
  return result;
}

std::vector<double> GroupQuantile(const Block& input, const Group& group,
                                  const std::vector<double>& quantiles) {
  std::vector<double> result(quantiles.size(), kAbsent);
  std::vector<double> values;
  for (size_t step = 0; step < quantiles.size(); ++step) {
    values.clear();
    for (const size_t member : group.members) {
      if (!IsAbsent(input[member].values[step])) values.push_back(input[member].values[step]);
    }
    if (!values.empty()) result[step] = Quantile(quantiles[step], values);
  }
  return result;
}

}  // namespace

Result<Block> EvalAggregate(Evaluation& evaluation, const Aggregate& aggregate,
                            const Steps& steps) {
  std::vector<double> parameters;
  if (aggregate.parameter && aggregate.op != AggregateOp::kCountValues) {
    HEARTH_ASSIGN_OR_RETURN(parameters, evaluation.EvalScalar(*aggregate.parameter, steps));
  }
  HEARTH_ASSIGN_OR_RETURN(const Block input, evaluation.Eval(*aggregate.expr, steps));
  switch (aggregate.op) {
    case AggregateOp::kTopk:
    case AggregateOp::kBottomk:
      return TopOrBottom(evaluation, aggregate, input, parameters, steps);
    case AggregateOp::kCountValues: return CountValues(aggregate, input, steps);
    case AggregateOp::kQuantile:
      for (const double quantile : parameters) {
        if (quantile >= 0 && quantile <= 1) continue;
        evaluation.Warn("quantile value should be between 0 and 1, got " + FloatText(quantile),
                        *aggregate.parameter);
      }
      break;
    default: break;
  }
  Block result;
  for (Group& group : MakeGroups(input, aggregate)) {
    HEARTH_RETURN_IF_ERROR(evaluation.Work(group.members.size() * steps.count));
    std::vector<double> values = aggregate.op == AggregateOp::kQuantile
                                     ? GroupQuantile(input, group, parameters)
                                     : FoldBy(aggregate.op, input, group, steps.count);
    result.push_back({std::move(group.labels), std::move(values)});
  }
  return result;
}

}  // namespace hearth::promql
