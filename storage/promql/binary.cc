// Binary operators: arithmetic, comparisons and sets, with Prometheus's matching of vectors.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "storage/promql/evaluation.h"
#include "storage/promql/lexer.h"

namespace hearth::promql {

namespace {

// Calls `use` with the function of an arithmetic operator, so that loops over values are made for
// each operator and look at none.
template <typename Use>
void WithArithmetic(BinaryOp op, Use use) {
  switch (op) {
    case BinaryOp::kAdd: return use([](double a, double b) { return a + b; });
    case BinaryOp::kSub: return use([](double a, double b) { return a - b; });
    case BinaryOp::kMul: return use([](double a, double b) { return a * b; });
    case BinaryOp::kDiv: return use([](double a, double b) { return a / b; });
    case BinaryOp::kMod: return use([](double a, double b) { return std::fmod(a, b); });
    case BinaryOp::kPow: return use([](double a, double b) { return std::pow(a, b); });
    default: return use([](double a, double b) { return std::atan2(a, b); });
  }
}

template <typename Use>
void WithComparison(BinaryOp op, Use use) {
  switch (op) {
    case BinaryOp::kEqual: return use([](double a, double b) { return a == b; });
    case BinaryOp::kNotEqual: return use([](double a, double b) { return a != b; });
    case BinaryOp::kLess: return use([](double a, double b) { return a < b; });
    case BinaryOp::kLessEqual: return use([](double a, double b) { return a <= b; });
    case BinaryOp::kGreater: return use([](double a, double b) { return a > b; });
    default: return use([](double a, double b) { return a >= b; });
  }
}

// What a comparison without bool lets through.
enum class Kept { kLeft, kRight };

// left[i] op right[i] into out[i], which may be either; kAbsent where one is absent or a comparison
// filters the pair away.
void Apply(const Binary& binary, const std::vector<double>& left, const std::vector<double>& right,
           Kept kept, std::vector<double>& out) {
  // Assigned, never an operand of ?: - GCC folds a signalling NaN there into a quiet one.
  const auto each = [&](auto value_of) {
    for (size_t i = 0; i < out.size(); ++i) {
      const double a = left[i];
      const double b = right[i];
      if (IsAbsent(a) || IsAbsent(b)) {
        out[i] = kAbsent;
      } else {
        value_of(a, b, out[i]);
      }
    }
  };
  if (!IsComparison(binary.op)) {
    return WithArithmetic(binary.op, [&](auto compute) {
      each([&](double a, double b, double& result) { result = compute(a, b); });
    });
  }
  WithComparison(binary.op, [&](auto holds) {
    if (binary.return_bool) {
      return each([&](double a, double b, double& result) { result = holds(a, b) ? 1 : 0; });
    }
    each([&](double a, double b, double& result) {
      if (!holds(a, b)) {
        result = kAbsent;
      } else {
        result = kept == Kept::kLeft ? a : b;
      }
    });
  });
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

using Signatures = std::unordered_map<Labels, std::vector<size_t>, LabelsHash>;  // to columns

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
  std::unordered_map<Labels, std::vector<bool>, LabelsHash> matches;
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
  VectorMatch(Evaluation& evaluation, const Binary& binary, const Block& lhs, const Block& rhs,
              size_t steps)
      : evaluation_(evaluation),
        binary_(binary),
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
        HEARTH_RETURN_IF_ERROR(evaluation_.Work(steps_));
        HEARTH_RETURN_IF_ERROR(evaluation_.Charge(steps_));
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

  static bool IsPair(const Column& many, const Column& one, size_t step) {
    return !IsAbsent(many.values[step]) && !IsAbsent(one.values[step]);
  }

  static bool Overlaps(const std::vector<bool>& matched, const Column& many, const Column& one) {
    for (size_t step = 0; step < matched.size(); ++step) {
      if (matched[step] && IsPair(many, one, step)) return true;
    }
    return false;
  }

  Status ApplyPair(const Column& many, const Column& one, const Labels& signature, Block& result) {
    const bool one_to_one = matching_.card == Matching::Card::kOneToOne;
    Column column{ResultLabels(many.labels, one.labels), std::vector<double>(steps_, kAbsent)};
    std::vector<bool>& matched = matched_[{signature, one_to_one ? Labels() : column.labels}];
    if (matched.empty()) {
      matched.resize(steps_, false);
    } else if (Overlaps(matched, many, one)) {
      return ExecutionError(one_to_one
                                ? "multiple matches for labels: many-to-one matching must be "
                                  "explicit (group_left/group_right)"
                                : "multiple matches for labels: grouping labels must ensure "
                                  "unique matches");
    }
    for (size_t step = 0; step < steps_; ++step) {
      if (IsPair(many, one, step)) matched[step] = true;
    }
    const Column& left = swapped_ ? one : many;
    const Column& right = swapped_ ? many : one;
    Apply(binary_, left.values, right.values, Kept::kLeft, column.values);
    result.push_back(std::move(column));
    return Status::Ok();
  }

  Evaluation& evaluation_;
  const Binary& binary_;
  const Matching& matching_;
  const bool swapped_;
  const Block& many_;
  const Block& one_;
  const size_t steps_;
  const Signatures one_by_signature_;
  std::map<std::pair<Labels, Labels>, std::vector<bool>> matched_;  // signature and result to steps
};

// What a comparison lets through is the vector's value, on whichever side it stands.
Result<Block> ApplyScalar(const Binary& binary, Block vector, const std::vector<double>& scalar,
                          bool scalar_left) {
  for (Column& column : vector) {
    if (scalar_left) {
      Apply(binary, scalar, column.values, Kept::kRight, column.values);
    } else {
      Apply(binary, column.values, scalar, Kept::kLeft, column.values);
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
    Apply(binary, lhs.front().values, rhs.front().values, Kept::kLeft, lhs.front().values);
    return lhs;
  }
  if (left_scalar) return ApplyScalar(binary, std::move(rhs), lhs.front().values, true);
  if (right_scalar) return ApplyScalar(binary, std::move(lhs), rhs.front().values, false);
  if (IsSetOperator(binary.op)) {
    return ApplySet(binary, std::move(lhs), std::move(rhs), steps.count);
  }
  return VectorMatch(evaluation, binary, lhs, rhs, steps.count).Run();
}

}  // namespace hearth::promql
