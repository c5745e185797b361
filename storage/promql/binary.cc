// Binary operators: arithmetic, comparisons and sets, with Prometheus's matching of vectors.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "storage/promql/evaluation.h"
#include "storage/promql/lexer.h"

namespace hearth::promql {

namespace {

bool Compare(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kEqual: return a == b;
    case BinaryOp::kNotEqual: return a != b;
    case BinaryOp::kLess: return a < b;
    case BinaryOp::kLessEqual: return a <= b;
    case BinaryOp::kGreater: return a > b;
    default: return a >= b;
  }
}

double Arithmetic(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd: return a + b;
    case BinaryOp::kSub: return a - b;
    case BinaryOp::kMul: return a * b;
    case BinaryOp::kDiv: return a / b;
    case BinaryOp::kMod: return std::fmod(a, b);
    case BinaryOp::kPow: return std::pow(a, b);
    default: return std::atan2(a, b);
  }
}

// The result of one pair; kAbsent where a comparison filters it away. `kept` is what a comparison
// without bool lets through.
double Apply(const Binary& binary, double a, double b, double kept) {
  if (!IsComparison(binary.op)) return Arithmetic(binary.op, a, b);
  const bool holds = Compare(binary.op, a, b);
  if (binary.return_bool) return holds ? 1 : 0;
  if (!holds) return kAbsent;  // no operand of ?: - GCC folds a signalling NaN there into a quiet one
  return kept;
}

bool DropsName(const Binary& binary) { return !IsComparison(binary.op) || binary.return_bool; }

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The labels that two matching series have in common.
Labels Signature(const Labels& labels, const Matching& matching) {
  std::vector<Labels::Pair> pairs;
  for (const Labels::Pair& pair : labels.pairs()) {
    const bool named = Contains(matching.labels, pair.first);
    if (matching.on ? named : !named && pair.first != kNameLabel) pairs.push_back(pair);
  }
  return Labels(std::move(pairs));
}

std::string LabelsText(const Labels& labels) {
  std::string text = "{";
  for (const Labels::Pair& pair : labels.pairs()) {
    if (text.size() > 1) text += ", ";
    text += pair.first + "=" + Quote(pair.second);
  }
  return text + "}";
}

// Which steps have a sample in any of the columns.
std::vector<bool> Presence(const Block& block, const std::vector<size_t>& columns, size_t steps) {
  std::vector<bool> present(steps, false);
  for (const size_t column : columns) {
    for (size_t step = 0; step < steps; ++step) {
      if (!IsAbsent(block[column].values[step])) present[step] = true;
    }
  }
  return present;
}

using Signatures = std::map<Labels, std::vector<size_t>>;  // to columns

Signatures GroupBySignature(const Block& block, const Matching& matching) {
  Signatures signatures;
  for (size_t i = 0; i < block.size(); ++i) {
    signatures[Signature(block[i].labels, matching)].push_back(i);
  }
  return signatures;
}

// Keeps the samples of `block` at steps where the other side has (`wanted`) or lacks a match.
void MaskByMatches(Block& block, const Matching& matching, const Block& other, bool wanted,
                   size_t steps) {
  std::map<Labels, std::vector<bool>> matches;
  for (const auto& [signature, columns] : GroupBySignature(other, matching)) {
    matches.emplace(signature, Presence(other, columns, steps));
  }
  for (Column& column : block) {
    const auto match = matches.find(Signature(column.labels, matching));
    for (size_t step = 0; step < steps; ++step) {
      const bool matched = match != matches.end() && match->second[step];
      if (matched != wanted) column.values[step] = kAbsent;
    }
  }
  std::erase_if(block, [](const Column& column) {
    return std::all_of(column.values.begin(), column.values.end(), IsAbsent);
  });
}

Result<Block> ApplySet(const Binary& binary, Block lhs, Block rhs, size_t steps) {
  switch (binary.op) {
    case BinaryOp::kAnd: MaskByMatches(lhs, binary.matching, rhs, true, steps); return lhs;
    case BinaryOp::kUnless: MaskByMatches(lhs, binary.matching, rhs, false, steps); return lhs;
    default:
      MaskByMatches(rhs, binary.matching, lhs, false, steps);
      for (Column& column : rhs) lhs.push_back(std::move(column));
      return JoinSameLabels(std::move(lhs));
  }
}

// One-to-one, many-to-one and one-to-many. "One" is the side where each signature is unique.
class VectorMatch {
 public:
  VectorMatch(const Binary& binary, const Block& lhs, const Block& rhs, size_t steps)
      : binary_(binary),
        matching_(binary.matching),
        swapped_(matching_.card == Matching::Card::kOneToMany),
        many_(swapped_ ? rhs : lhs),
        one_(swapped_ ? lhs : rhs),
        steps_(steps),
        one_by_signature_(GroupBySignature(one_, matching_)) {}

  Result<Block> Run() {
    HEARTH_RETURN_IF_ERROR(CheckUniqueness());
    Block result;
    for (const Column& many : many_) {
      Labels signature = Signature(many.labels, matching_);
      const auto ones = one_by_signature_.find(signature);
      if (ones == one_by_signature_.end()) continue;
      for (const size_t one : ones->second) {
        HEARTH_RETURN_IF_ERROR(ApplyPair(many, one_[one], signature, result));
      }
    }
    return JoinSameLabels(std::move(result));
  }

 private:
  // Two series of the "one" side with one signature at one step are an error as soon as the other
  // side has anything at that step.
  Status CheckUniqueness() const {
    std::vector<size_t> all(many_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    const std::vector<bool> relevant = Presence(many_, all, steps_);
    for (const auto& [signature, columns] : one_by_signature_) {
      if (columns.size() < 2) continue;
      for (size_t step = 0; step < steps_; ++step) {
        if (!relevant[step]) continue;
        const Column* first = nullptr;
        for (const size_t column : columns) {
          if (IsAbsent(one_[column].values[step])) continue;
          if (first != nullptr) return DuplicateError(signature, *first, one_[column]);
          first = &one_[column];
        }
      }
    }
    return Status::Ok();
  }

  Status DuplicateError(const Labels& signature, const Column& first, const Column& second) const {
    std::string low = LabelsText(first.labels);
    std::string high = LabelsText(second.labels);
    if (high < low) std::swap(low, high);
    const std::string side = swapped_ ? "left" : "right";
    return ExecutionError(
        "found duplicate series for the match group " + LabelsText(signature) + " on the " + side +
        " hand-side of the operation: [" + low + ", " + high +
        "];many-to-many matching not allowed: matching labels must be unique on one side");
  }

  Labels ResultLabels(const Labels& many, const Labels& one) const {
    Labels labels = many;
    if (DropsName(binary_)) labels.Set(kNameLabel, "");
    if (matching_.card == Matching::Card::kOneToOne) {
      for (const Labels::Pair& pair : many.pairs()) {
        if (Contains(matching_.labels, pair.first) != matching_.on) labels.Set(pair.first, "");
      }
    }
    for (const std::string& name : matching_.include) labels.Set(name, one.Get(name));
    return labels;
  }

  Status ApplyPair(const Column& many, const Column& one, const Labels& signature, Block& result) {
    const bool one_to_one = matching_.card == Matching::Card::kOneToOne;
    Column column{ResultLabels(many.labels, one.labels), std::vector<double>(steps_, kAbsent)};
    std::vector<bool>& matched = matched_[{signature, one_to_one ? Labels() : column.labels}];
    matched.resize(steps_, false);
    for (size_t step = 0; step < steps_; ++step) {
      const double a = many.values[step];
      const double b = one.values[step];
      if (IsAbsent(a) || IsAbsent(b)) continue;
      if (matched[step]) {
        return ExecutionError(one_to_one
                                  ? "multiple matches for labels: many-to-one matching must be "
                                    "explicit (group_left/group_right)"
                                  : "multiple matches for labels: grouping labels must ensure "
                                    "unique matches");
      }
      matched[step] = true;
      const double left = swapped_ ? b : a;
      const double right = swapped_ ? a : b;
      column.values[step] = Apply(binary_, left, right, left);
    }
    result.push_back(std::move(column));
    return Status::Ok();
  }

  const Binary& binary_;
  const Matching& matching_;
  const bool swapped_;
  const Block& many_;
  const Block& one_;
  const size_t steps_;
  const Signatures one_by_signature_;
  std::map<std::pair<Labels, Labels>, std::vector<bool>> matched_;  // signature and result to steps
};

Result<Block> ApplyScalar(const Binary& binary, Block vector, const std::vector<double>& scalar,
                          bool scalar_left) {
  for (Column& column : vector) {
    for (size_t step = 0; step < column.values.size(); ++step) {
      double& value = column.values[step];
      if (IsAbsent(value)) continue;
      value = scalar_left ? Apply(binary, scalar[step], value, value)
                          : Apply(binary, value, scalar[step], value);
    }
    if (DropsName(binary)) column.labels.Set(kNameLabel, "");
  }
  return JoinSameLabels(std::move(vector));
}

}  // namespace

Result<Block> EvalBinary(Evaluation& evaluation, const Binary& binary, const Steps& steps) {
  HEARTH_ASSIGN_OR_RETURN(Block lhs, evaluation.Eval(*binary.lhs, steps));
  HEARTH_ASSIGN_OR_RETURN(Block rhs, evaluation.Eval(*binary.rhs, steps));
  const bool left_scalar = binary.lhs->type() == ValueType::kScalar;
  const bool right_scalar = binary.rhs->type() == ValueType::kScalar;
  if (left_scalar && right_scalar) {
    for (size_t step = 0; step < steps.count; ++step) {
      double& value = lhs.front().values[step];
      value = Apply(binary, value, rhs.front().values[step], value);
    }
    return lhs;
  }
  if (left_scalar) return ApplyScalar(binary, std::move(rhs), lhs.front().values, true);
  if (right_scalar) return ApplyScalar(binary, std::move(lhs), rhs.front().values, false);
  if (IsSetOperator(binary.op)) {
    return ApplySet(binary, std::move(lhs), std::move(rhs), steps.count);
  }
  return VectorMatch(binary, lhs, rhs, steps.count).Run();
}

}  // namespace hearth::promql
