#include "storage/promql/ast.h"

#include "storage/promql/functions.h"

namespace hearth::promql {

namespace {

struct TypeOf {
  ValueType operator()(const NumberLiteral&) const { return ValueType::kScalar; }
  ValueType operator()(const StringLiteral&) const { return ValueType::kString; }
  ValueType operator()(const Selector& selector) const {
    return selector.range_ms == 0 ? ValueType::kVector : ValueType::kMatrix;
  }
  ValueType operator()(const Subquery&) const { return ValueType::kMatrix; }
  ValueType operator()(const Call& call) const { return call.function->returns; }
  ValueType operator()(const Aggregate&) const { return ValueType::kVector; }
  ValueType operator()(const Binary& binary) const {
    const bool scalars =
        binary.lhs->type() == ValueType::kScalar && binary.rhs->type() == ValueType::kScalar;
    return scalars ? ValueType::kScalar : ValueType::kVector;
  }
  ValueType operator()(const Unary& unary) const { return unary.expr->type(); }
  ValueType operator()(const Paren& paren) const { return paren.expr->type(); }
};

}  // namespace

std::string_view DocumentedName(ValueType type) {
  switch (type) {
    case ValueType::kNone: return "none";
    case ValueType::kScalar: return "scalar";
    case ValueType::kVector: return "instant vector";
    case ValueType::kMatrix: return "range vector";
    case ValueType::kString: return "string";
  }
  return "";
}

std::string_view ApiName(ValueType type) {
  switch (type) {
    case ValueType::kNone: return "none";
    case ValueType::kScalar: return "scalar";
    case ValueType::kVector: return "vector";
    case ValueType::kMatrix: return "matrix";
    case ValueType::kString: return "string";
  }
  return "";
}

bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual; }
bool IsSetOperator(BinaryOp op) { return op >= BinaryOp::kAnd; }

ValueType Expr::type() const { return std::visit(TypeOf{}, node); }

const Expr& WithoutParens(const Expr& expr) {
  const Expr* inner = &expr;
  while (const auto* paren = std::get_if<Paren>(&inner->node)) inner = paren->expr.get();
  return *inner;
}

std::string_view Name(AggregateOp op) {
  static constexpr std::string_view kNames[] = {"sum",    "avg",    "count",   "min",
                                                "max",    "group",  "stddev",  "stdvar",
                                                "topk",   "bottomk", "count_values", "quantile"};
  return kNames[static_cast<size_t>(op)];
}

std::string_view Name(BinaryOp op) {
  static constexpr std::string_view kNames[] = {"+",     "-",   "*",  "/",     "%",  "^",
                                                "atan2", "==",  "!=", "<",     "<=", ">",
                                                ">=",    "and", "or", "unless"};
  return kNames[static_cast<size_t>(op)];
}

std::string_view Name(Matcher::Op op) {
  static constexpr std::string_view kNames[] = {"=", "!=", "=~", "!~"};
  return kNames[static_cast<size_t>(op)];
}

}  // namespace hearth::promql
