#include "storage/promql/type_check.h"

#include <algorithm>
#include <string>

#include "storage/promql/functions.h"
#include "storage/promql/lexer.h"

namespace hearth::promql {

namespace {

class Checker {
 public:
  explicit Checker(std::string_view input) : input_(input) {}

  Status Check(const Expr& expr) {
    return std::visit([&](const auto& node) { return CheckNode(expr, node); }, expr.node);
  }

 private:
  Status Fail(int position, const std::string& what) const {
    return ParseError(input_, position, what);
  }

  Status Expect(const Expr& expr, ValueType type, const std::string& where) {
    HEARTH_RETURN_IF_ERROR(Check(expr));
    if (expr.type() == type) return Status::Ok();
    return Fail(expr.begin, "expected type " + std::string(DocumentedName(type)) + " in " + where +
                                ", got " + std::string(DocumentedName(expr.type())));
  }

  Status CheckNode(const Expr&, const NumberLiteral&) { return Status::Ok(); }
  Status CheckNode(const Expr&, const StringLiteral&) { return Status::Ok(); }
  Status CheckNode(const Expr&, const Paren& paren) { return Check(*paren.expr); }

  Status CheckNode(const Expr& expr, const Selector& selector) {
    if (!selector.name.empty()) {
      const auto is_name = [](const Matcher& m) { return m.name == "__name__"; };
      const auto twice =
          std::find_if(selector.matchers.begin(), selector.matchers.end() - 1, is_name);
      if (twice == selector.matchers.end() - 1) return Status::Ok();
      return Fail(expr.begin, "metric name must not be set twice: " + Quote(selector.name) +
                                  " or " + Quote(twice->value));
    }
    for (const Matcher& matcher : selector.matchers) {
      if (!matcher.Matches("")) return Status::Ok();
    }
    return Fail(expr.begin, "vector selector must contain at least one non-empty matcher");
  }

  Status CheckNode(const Expr& expr, const Subquery& subquery) {
    HEARTH_RETURN_IF_ERROR(Check(*subquery.expr));
    if (subquery.expr->type() == ValueType::kVector) return Status::Ok();
    return Fail(expr.begin, "subquery is only allowed on instant vector, got " +
                                std::string(ApiName(subquery.expr->type())) + " instead");
  }

  Status CheckNode(const Expr& expr, const Unary& unary) {
    HEARTH_RETURN_IF_ERROR(Check(*unary.expr));
    const ValueType type = unary.expr->type();
    if (type == ValueType::kScalar || type == ValueType::kVector) return Status::Ok();
    return Fail(
        expr.begin,
        "unary expression only allowed on expressions of type scalar or instant vector, got " +
            Quote(DocumentedName(type)));
  }

  Status CheckNode(const Expr&, const Aggregate& aggregate) {
    HEARTH_RETURN_IF_ERROR(Expect(*aggregate.expr, ValueType::kVector, "aggregation expression"));
    if (!aggregate.parameter) return Status::Ok();
    const ValueType type =
        aggregate.op == AggregateOp::kCountValues ? ValueType::kString : ValueType::kScalar;
    return Expect(*aggregate.parameter, type, "aggregation parameter");
  }

  Status CheckNode(const Expr& expr, const Call& call) {
    const Function& function = *call.function;
    const size_t declared = function.args.size();
    const size_t given = call.args.size();
    const auto wrong_count = [&](const char* bound, size_t expected) {
      return Fail(expr.begin, std::string("expected ") + bound + std::to_string(expected) +
                                  " argument(s) in call to " + Quote(function.name) + ", got " +
                                  std::to_string(given));
    };
    if (function.variadic == 0) {
      if (given != declared) return wrong_count("", declared);
    } else {
      if (given < declared - 1) return wrong_count("at least ", declared - 1);
      const size_t most = declared - 1 + static_cast<size_t>(std::max(function.variadic, 0));
      if (function.variadic > 0 && given > most) return wrong_count("at most ", most);
    }
    for (size_t i = 0; i < given; ++i) {
      HEARTH_RETURN_IF_ERROR(Expect(*call.args[i], function.args[std::min(i, declared - 1)],
                                    "call to function " + Quote(function.name)));
    }
    return Status::Ok();
  }

  Status CheckNode(const Expr& expr, const Binary& binary) {
    HEARTH_RETURN_IF_ERROR(Check(*binary.lhs));
    HEARTH_RETURN_IF_ERROR(Check(*binary.rhs));
    const ValueType left = binary.lhs->type();
    const ValueType right = binary.rhs->type();
    const bool scalars = left == ValueType::kScalar && right == ValueType::kScalar;
    if (binary.return_bool && !IsComparison(binary.op)) {
      return Fail(binary.op_position, "bool modifier can only be used on comparison operators");
    }
    if (IsComparison(binary.op) && !binary.return_bool && scalars) {
      return Fail(binary.op_position, "comparisons between scalars must use BOOL modifier");
    }
    const Matching& matching = binary.matching;
    for (const std::string& label : matching.labels) {
      if (matching.on && std::count(matching.include.begin(), matching.include.end(), label) > 0) {
        return Fail(binary.op_position,
                    "label " + Quote(label) + " must not occur in ON and GROUP clause at once");
      }
    }
    for (const Expr* side : {binary.lhs.get(), binary.rhs.get()}) {
      if (side->type() != ValueType::kScalar && side->type() != ValueType::kVector) {
        return Fail(side->begin,
                    "binary expression must contain only scalar and instant vector types");
      }
    }
    if (left != ValueType::kVector || right != ValueType::kVector) {
      if (!matching.labels.empty()) {
        return Fail(expr.begin, "vector matching only allowed between instant vectors");
      }
      if (IsSetOperator(binary.op)) {
        return Fail(expr.begin, "set operator " + Quote(Name(binary.op)) +
                                    " not allowed in binary scalar expression");
      }
    } else if (IsSetOperator(binary.op) && matching.card != Matching::Card::kManyToMany) {
      return Fail(expr.begin, "no grouping allowed for " + Quote(Name(binary.op)) + " operation");
    }
    return Status::Ok();
  }

  std::string_view input_;
};

}  // namespace

Status CheckTypes(std::string_view input, const Expr& expr) { return Checker(input).Check(expr); }

}  // namespace hearth::promql
