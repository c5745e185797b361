// A parsed template. Immutable after parsing, so any number of renderings may share it.
//
// Sequences that a template can make long (a + b + c, x.y.z, elif) are vectors, not nested nodes:
// the tree is never deeper than kParseDepthMax, and neither are the recursions that walk and
// destroy it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/text/jinja_value.h"

namespace hearth::engine::jinja {

inline constexpr int kParseDepthMax = 100;

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Arguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
};

// ---- expressions -------------------------------------------------------------------------------

struct Literal {
  Value value;
};
struct Name {
  std::string name;
};
struct ListExpression {
  std::vector<ExpressionPtr> items;
  bool is_tuple = false;
};
struct DictExpression {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};

enum class UnaryOperator { kNot, kMinus, kPlus };
struct Unary {
  UnaryOperator op;
  ExpressionPtr operand;
};

enum class BinaryOperator {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kConcat
};
// first op operand op operand ..., from left to right.
struct Arithmetic {
  ExpressionPtr first;
  std::vector<std::pair<BinaryOperator, ExpressionPtr>> rest;
};

enum class CompareOperator {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn
};
// a < b < c means a < b and b < c.
struct Comparison {
  ExpressionPtr first;
  std::vector<std::pair<CompareOperator, ExpressionPtr>> rest;
};

// The first operand that decides, as in Python.
struct Logical {
  bool is_and;
  std::vector<ExpressionPtr> operands;
};

struct Conditional {
  ExpressionPtr condition;
  ExpressionPtr then;
  ExpressionPtr otherwise;  // null: undefined
};

// What follows a primary expression: .name, [index], [a:b:c], (arguments), |filter, is test.
struct GetAttribute {
  std::string name;
};
struct GetItem {
  ExpressionPtr index;
};
struct GetSlice {
  ExpressionPtr start, stop, step;  // each may be null
};
struct Call {
  Arguments arguments;
};
struct ApplyFilter {
  std::string name;
  Arguments arguments;
};
struct ApplyTest {
  std::string name;
  Arguments arguments;
  bool negated = false;
};
using PostfixOperation =
    std::variant<GetAttribute, GetItem, GetSlice, Call, ApplyFilter, ApplyTest>;
struct Postfix {
  ExpressionPtr base;
  std::vector<PostfixOperation> operations;
};

struct Expression {
  int line = 0;
  std::variant<Literal, Name, ListExpression, DictExpression, Unary, Arithmetic, Comparison,
               Logical, Conditional, Postfix>
      node;
};

// ---- statements --------------------------------------------------------------------------------

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

struct DataStatement {
  Text text;
};
struct OutputStatement {
  ExpressionPtr expression;
};
struct IfStatement {
  std::vector<std::pair<ExpressionPtr, Body>> branches;  // if, elif, ...
  Body otherwise;
};
struct ForStatement {
  std::vector<std::string> targets;  // more than one: each item is unpacked
  ExpressionPtr iterable;
  ExpressionPtr condition;  // may be null
  Body body;
  Body otherwise;  // when there was no item
};
// A name, or the attribute of a namespace.
struct SetTarget {
  std::string name;
  std::string attribute;  // empty = the name itself
};
struct SetStatement {
  std::vector<SetTarget> targets;  // more than one: the value is unpacked
  ExpressionPtr value;
};
struct SetBlockStatement {
  SetTarget target;
  std::vector<ApplyFilter> filters;
  Body body;
};
struct FilterStatement {
  std::vector<ApplyFilter> filters;
  Body body;
};
struct MacroStatement {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExpressionPtr> defaults;  // of the last parameters
  Body body;
};
struct CallStatement {
  ExpressionPtr call;
  MacroStatement caller;  // what the macro gets as caller()
};
// {% generation %} of Hugging Face: marks the assistant's text for training, renders as its body.
struct GenerationStatement {
  Body body;
};
struct BreakStatement {};
struct ContinueStatement {};

struct Statement {
  int line = 0;
  std::variant<DataStatement, OutputStatement, IfStatement, ForStatement, SetStatement,
               SetBlockStatement, FilterStatement, MacroStatement, CallStatement,
               GenerationStatement, BreakStatement, ContinueStatement>
      node;
};

}  // namespace hearth::engine::jinja
