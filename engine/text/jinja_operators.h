// Arithmetic and comparison, by Python's rules.
#pragma once

#include "engine/text/jinja_ast.h"

namespace hearth::engine::jinja {

// Throw Error for operands of the wrong type, division by zero, and integers beyond 64 bits.
Value Negate(const Value& operand);
Value Plus(const Value& operand);
Value Calculate(BinaryOperator op, const Value& left, const Value& right, Budget& budget);

bool Compare(CompareOperator op, const Value& left, const Value& right, Budget& budget);

}  // namespace hearth::engine::jinja
