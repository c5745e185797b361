// What a template can call. Texts are those of Prometheus's functions of the same names.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace hearth::rules {

using TemplateValue = std::variant<double, std::string, bool>;

struct TemplateFunction {
  std::string_view name;
  size_t arguments_min;
  size_t arguments_max;
  Result<TemplateValue> (*call)(std::span<const TemplateValue> arguments);
};

// Null when there is none.
const TemplateFunction* FindTemplateFunction(std::string_view name);

// As Go's templates take a value for a condition: 0, "" and false are not true.
bool IsTrue(const TemplateValue& value);

// As Go prints them: 1e-05, 0.25, 1e+21, NaN, +Inf.
std::string TemplateText(const TemplateValue& value);

// "2026-11-22 20:15:00 +0000 UTC", with milliseconds where there are any.
std::string GoTimeText(int64_t time_ms);

}  // namespace hearth::rules
