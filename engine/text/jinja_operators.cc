#include "engine/text/jinja_operators.h"

#include <algorithm>
#include <cmath>

#include "engine/text/jinja_filters.h"
#include "engine/text/jinja_format.h"

namespace hearth::engine::jinja {
namespace {

constexpr const char* kSymbols[] = {"+", "-", "*", "/", "//", "%", "**", "~"};

const char* Symbol(BinaryOperator op) { return kSymbols[static_cast<size_t>(op)]; }

[[noreturn]] void FailTypes(BinaryOperator op, const Value& left, const Value& right) {
  for (const Value* value : {&left, &right}) {
    if (value->IsUndefined()) throw Error(value->UndefinedReason());
  }
  throw Error(std::string("'") + Symbol(op) + "' is not defined for " +
              std::string(left.TypeName()) + " and " + std::string(right.TypeName()));
}

Value Concatenate(const Text& left, const Text& right, Budget& budget) {
  budget.ChargeBytes(left.size() + right.size());
  Text out = left;
  out.Append(right);
  return Value(std::move(out));
}

Value ConcatenateLists(const List& left, const List& right, Budget& budget) {
  budget.Charge(static_cast<int64_t>(left.items.size() + right.items.size()));
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  return Value::MakeList(std::move(items), left.is_tuple);
}

// text * count and list * count.
Value Repeat(const Value& value, int64_t count, Budget& budget) {
  const auto times = static_cast<size_t>(std::max<int64_t>(count, 0));
  if (const Text* text = value.AsText()) {
    if (text->empty()) return value;
    Budget::CheckLength(times);
    budget.ChargeBytes(text->size() * times);
    Text out;
    for (size_t i = 0; i < times; ++i) out.Append(*text);
    return Value(std::move(out));
  }
  const List& list = *value.AsList();
  if (list.items.empty()) return value;
  budget.Charge(count);  // first alone: the product could overflow
  budget.Charge(static_cast<int64_t>(list.items.size() * times));
  std::vector<Value> items;
  for (size_t i = 0; i < times; ++i) {
    items.insert(items.end(), list.items.begin(), list.items.end());
  }
  return Value::MakeList(std::move(items), list.is_tuple);
}

[[noreturn]] void FailOverflow(BinaryOperator op) {
  throw Error(std::string("the result of '") + Symbol(op) + "' does not fit into 64 bits");
}

Value CalculateIntegers(BinaryOperator op, int64_t left, int64_t right) {
  int64_t result = 0;
  switch (op) {
    case BinaryOperator::kAdd:
      if (__builtin_add_overflow(left, right, &result)) FailOverflow(op);
      return Value(result);
    case BinaryOperator::kSubtract:
      if (__builtin_sub_overflow(left, right, &result)) FailOverflow(op);
      return Value(result);
    case BinaryOperator::kMultiply:
      if (__builtin_mul_overflow(left, right, &result)) FailOverflow(op);
      return Value(result);
    case BinaryOperator::kFloorDivide:
    case BinaryOperator::kModulo: {
      if (right == 0) throw Error("division by zero");
      if (right == -1) {  // the smallest integer divided by -1 traps
        if (op == BinaryOperator::kModulo) return Value(int64_t{0});
        return CalculateIntegers(BinaryOperator::kSubtract, 0, left);
      }
      const int64_t remainder = left % right;
      const bool adjust = remainder != 0 && (remainder < 0) != (right < 0);  // Python floors
      if (op == BinaryOperator::kModulo) return Value(adjust ? remainder + right : remainder);
      return Value(left / right - (adjust ? 1 : 0));
    }
    default: break;
  }
  // Division and powers go through floating point; a power of integers is one again.
  if (op == BinaryOperator::kDivide) {
    if (right == 0) throw Error("division by zero");
    return Value(static_cast<double>(left) / static_cast<double>(right));
  }
  const double power = std::pow(static_cast<double>(left), static_cast<double>(right));
  if (right < 0) return Value(power);
  if (std::abs(power) > 9007199254740992.0) FailOverflow(op);  // 2^53: exact up to here
  return Value(static_cast<int64_t>(power));
}

Value CalculateFloats(BinaryOperator op, double left, double right) {
  switch (op) {
    case BinaryOperator::kAdd: return Value(left + right);
    case BinaryOperator::kSubtract: return Value(left - right);
    case BinaryOperator::kMultiply: return Value(left * right);
    case BinaryOperator::kPower: return Value(std::pow(left, right));
    default: break;
  }
  if (right == 0) throw Error("division by zero");
  if (op == BinaryOperator::kDivide) return Value(left / right);
  const double floored = std::floor(left / right);
  if (op == BinaryOperator::kFloorDivide) return Value(floored);
  const double remainder = std::fmod(left, right);
  const bool adjust = remainder != 0 && (remainder < 0) != (right < 0);
  return Value(adjust ? remainder + right : remainder);
}

// "format" % value or "format" % (a, b).
Value FormatText(const Text& format, const Value& right, Budget& budget) {
  const List* list = right.AsList();
  const bool is_tuple = list != nullptr && list->is_tuple;
  return Value(FormatPercent(format, is_tuple ? list->items : std::vector<Value>{right}, budget));
}

}  // namespace

Value Negate(const Value& operand) {
  if (operand.IsInteger())
    return CalculateIntegers(BinaryOperator::kSubtract, 0, operand.Integer());
  if (operand.IsNumber()) return Value(-operand.Number());
  FailTypes(BinaryOperator::kSubtract, Value(int64_t{0}), operand);
}

Value Plus(const Value& operand) {
  if (operand.IsInteger()) return Value(operand.Integer());
  if (operand.IsNumber()) return operand;
  FailTypes(BinaryOperator::kAdd, Value(int64_t{0}), operand);
}

Value Calculate(BinaryOperator op, const Value& left, const Value& right, Budget& budget) {
  if (op == BinaryOperator::kConcat) {
    return Concatenate(ToText(left, budget), ToText(right, budget), budget);
  }
  if (left.IsInteger() && right.IsInteger()) {
    return CalculateIntegers(op, left.Integer(), right.Integer());
  }
  if (left.IsNumber() && right.IsNumber())
    return CalculateFloats(op, left.Number(), right.Number());
  const bool left_sequence = left.IsString() || left.AsList() != nullptr;
  const bool right_sequence = right.IsString() || right.AsList() != nullptr;
  if (op == BinaryOperator::kAdd) {
    if (left.IsString() && right.IsString()) {
      return Concatenate(*left.AsText(), *right.AsText(), budget);
    }
    const bool lists = left.AsList() != nullptr && right.AsList() != nullptr;
    if (lists && left.AsList()->is_tuple == right.AsList()->is_tuple) {
      return ConcatenateLists(*left.AsList(), *right.AsList(), budget);
    }
  } else if (op == BinaryOperator::kMultiply) {
    if (left_sequence && right.IsInteger()) return Repeat(left, right.Integer(), budget);
    if (left.IsInteger() && right_sequence) return Repeat(right, left.Integer(), budget);
  } else if (op == BinaryOperator::kModulo && left.IsString()) {
    return FormatText(*left.AsText(), right, budget);
  }
  FailTypes(op, left, right);
}

bool Compare(CompareOperator op, const Value& left, const Value& right, Budget& budget) {
  switch (op) {
    case CompareOperator::kEqual: return Equal(left, right, budget);
    case CompareOperator::kNotEqual: return !Equal(left, right, budget);
    case CompareOperator::kLess: return Less(left, right);
    case CompareOperator::kGreater: return Less(right, left);
    case CompareOperator::kLessEqual: return Less(left, right) || Equal(left, right, budget);
    case CompareOperator::kGreaterEqual: return Less(right, left) || Equal(left, right, budget);
    case CompareOperator::kIn: return IsIn(left, right, budget);
    case CompareOperator::kNotIn: return !IsIn(left, right, budget);
  }
  return false;
}

}  // namespace hearth::engine::jinja
