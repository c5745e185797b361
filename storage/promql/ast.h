// The tree of a PromQL expression.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "storage/promql/series_source.h"

namespace hearth::promql {

struct Function;  // functions.h

enum class ValueType { kNone, kScalar, kVector, kMatrix, kString };

// "instant vector", "range vector": how messages name a type.
std::string_view DocumentedName(ValueType type);
// "vector", "matrix": how the HTTP API names it.
std::string_view ApiName(ValueType type);

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct NumberLiteral {
  double value = 0;
  bool is_duration = false;  // was written 5m, prints as 5m
};

struct StringLiteral {
  std::string value;
};

// `offset 5m` and `@ 1234`, `@ start()`, `@ end()`.
struct TimeShift {
  enum class Edge { kNone, kStart, kEnd };
  bool has_offset = false;
  int64_t offset_ms = 0;
  std::optional<int64_t> at_ms;
  Edge at_edge = Edge::kNone;

  bool has_at() const { return at_ms.has_value() || at_edge != Edge::kNone; }
};

// `name{matchers}`, with `[range]` a range vector.
struct Selector {
  std::string name;               // as written before the braces; matchers hold __name__ too
  std::vector<Matcher> matchers;
  int64_t range_ms = 0;           // 0: an instant vector
  TimeShift shift;
};

struct Subquery {
  ExprPtr expr;
  int64_t range_ms = 0;
  int64_t step_ms = 0;  // 0: the evaluator's default
  TimeShift shift;
};

struct Call {
  const Function* function = nullptr;
  std::vector<ExprPtr> args;
};

enum class AggregateOp {
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kCountValues,
  kQuantile,
};

struct Aggregate {
  AggregateOp op = AggregateOp::kSum;
  ExprPtr expr;
  ExprPtr parameter;  // of topk, bottomk, count_values and quantile
  std::vector<std::string> grouping;
  bool without = false;
};

enum class BinaryOp {
  kAdd, kSub, kMul, kDiv, kMod, kPow, kAtan2,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual,
  kAnd, kOr, kUnless,
};

bool IsComparison(BinaryOp op);
bool IsSetOperator(BinaryOp op);

struct Matching {
  enum class Card { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
  Card card = Card::kOneToOne;
  bool on = false;                  // else: ignoring
  std::vector<std::string> labels;  // of on() or ignoring()
  std::vector<std::string> include; // of group_left() or group_right()
};

struct Binary {
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr lhs;
  ExprPtr rhs;
  bool return_bool = false;
  Matching matching;  // between two vectors
  int op_position = 0;
};

struct Unary {
  bool minus = false;
  ExprPtr expr;
};

struct Paren {
  ExprPtr expr;
};

struct Expr {
  using Node = std::variant<NumberLiteral, StringLiteral, Selector, Subquery, Call, Aggregate,
                            Binary, Unary, Paren>;
  Node node;
  int begin = 0;  // byte offsets into the query
  int end = 0;
  int depth = 1;  // levels below and including this one

  ValueType type() const;
};

// The expression inside any number of parentheses.
const Expr& WithoutParens(const Expr& expr);

std::string_view Name(AggregateOp op);
std::string_view Name(BinaryOp op);
std::string_view Name(Matcher::Op op);

// The canonical text of an expression, as Prometheus prints it.
std::string ToString(const Expr& expr);
// The same broken over lines and indented, for /api/v1/format_query.
std::string Prettify(const Expr& expr);

// 90000 -> "1m30s"; negative durations keep their sign.
std::string DurationText(int64_t milliseconds);

}  // namespace hearth::promql
