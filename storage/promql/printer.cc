// Trees back to text: one line, and broken over lines where one line would be too long.
#include "storage/promql/ast.h"
#include "storage/promql/float_format.h"
#include "storage/promql/functions.h"
#include "storage/promql/lexer.h"

namespace hearth::promql {

namespace {

constexpr size_t kLineMax = 100;  // Prometheus's maxCharactersPerLine

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += ", ";
    text += part;
  }
  return text;
}

std::string ShiftText(const TimeShift& shift) {
  std::string text;
  if (shift.at_ms) {
    std::string digits = std::to_string(std::abs(*shift.at_ms) % 1000);
    digits.insert(0, 3 - digits.size(), '0');
    text += std::string(" @ ") + (*shift.at_ms < 0 ? "-" : "") +
            std::to_string(std::abs(*shift.at_ms) / 1000) + "." + digits;
  } else if (shift.at_edge != TimeShift::Edge::kNone) {
    text += shift.at_edge == TimeShift::Edge::kStart ? " @ start()" : " @ end()";
  }
  if (shift.offset_ms != 0) text += " offset " + DurationText(shift.offset_ms);
  return text;
}

std::string SubquerySuffix(const Subquery& subquery) {
  return "[" + DurationText(subquery.range_ms) + ":" +
         (subquery.step_ms > 0 ? DurationText(subquery.step_ms) : "") + "]" +
         ShiftText(subquery.shift);
}

std::string AggregateHead(const Aggregate& aggregate) {
  std::string text(Name(aggregate.op));
  if (aggregate.without) return text + " without (" + Join(aggregate.grouping) + ") ";
  if (!aggregate.grouping.empty()) return text + " by (" + Join(aggregate.grouping) + ") ";
  return text;
}

std::string OperatorText(const Binary& binary) {
  const Matching& matching = binary.matching;
  std::string text(Name(binary.op));
  if (binary.return_bool) text += " bool";
  const bool grouped = matching.card == Matching::Card::kManyToOne ||
                       matching.card == Matching::Card::kOneToMany;
  if (!matching.labels.empty() || matching.on || grouped) {
    text += (matching.on ? " on (" : " ignoring (") + Join(matching.labels) + ")";
  }
  if (grouped) {
    const bool left = matching.card == Matching::Card::kManyToOne;
    text += (left ? " group_left (" : " group_right (") + Join(matching.include) + ")";
  }
  return text;
}

struct OneLine {
  std::string operator()(const NumberLiteral& literal) const {
    if (literal.is_duration) return DurationText(static_cast<int64_t>(literal.value * 1000));
    return FloatText(literal.value);
  }
  std::string operator()(const StringLiteral& literal) const { return Quote(literal.value); }
  std::string operator()(const Selector& selector) const {
    std::vector<std::string> matchers;
    const size_t written = selector.matchers.size() - (selector.name.empty() ? 0 : 1);
    std::string text = selector.name;
    std::string braces;
    for (size_t i = 0; i < written; ++i) {
      const Matcher& matcher = selector.matchers[i];
      if (i > 0) braces += ",";
      braces += matcher.name + std::string(Name(matcher.op)) + Quote(matcher.value);
    }
    if (written > 0) text += "{" + braces + "}";
    if (selector.range_ms > 0) text += "[" + DurationText(selector.range_ms) + "]";
    return text + ShiftText(selector.shift);
  }
  std::string operator()(const Subquery& subquery) const {
    return ToString(*subquery.expr) + SubquerySuffix(subquery);
  }
  std::string operator()(const Call& call) const {
    std::vector<std::string> args;
    for (const ExprPtr& arg : call.args) args.push_back(ToString(*arg));
    return std::string(call.function->name) + "(" + Join(args) + ")";
  }
  std::string operator()(const Aggregate& aggregate) const {
    const std::string parameter =
        aggregate.parameter ? ToString(*aggregate.parameter) + ", " : std::string();
    return AggregateHead(aggregate) + "(" + parameter + ToString(*aggregate.expr) + ")";
  }
  std::string operator()(const Binary& binary) const {
    return ToString(*binary.lhs) + " " + OperatorText(binary) + " " + ToString(*binary.rhs);
  }
  std::string operator()(const Unary& unary) const {
    return (unary.minus ? "-" : "+") + ToString(*unary.expr);
  }
  std::string operator()(const Paren& paren) const { return "(" + ToString(*paren.expr) + ")"; }
};

std::string Pretty(const Expr& expr, size_t level);

struct ManyLines {
  size_t level;
  std::string indent = std::string(2 * level, ' ');

  template <typename Leaf>
  std::string operator()(const Leaf& leaf) const {
    return indent + OneLine()(leaf);
  }
  std::string operator()(const Subquery& subquery) const {
    return Pretty(*subquery.expr, level) + SubquerySuffix(subquery);
  }
  std::string operator()(const Call& call) const {
    std::string args;
    for (const ExprPtr& arg : call.args) {
      if (!args.empty()) args += ",\n";
      args += Pretty(*arg, level + 1);
    }
    return indent + std::string(call.function->name) + "(\n" + args + "\n" + indent + ")";
  }
  std::string operator()(const Aggregate& aggregate) const {
    const std::string parameter =
        aggregate.parameter ? Pretty(*aggregate.parameter, level + 1) + ",\n" : std::string();
    return indent + AggregateHead(aggregate) + "(\n" + parameter +
           Pretty(*aggregate.expr, level + 1) + "\n" + indent + ")";
  }
  std::string operator()(const Binary& binary) const {
    return Pretty(*binary.lhs, level + 1) + "\n" + indent + OperatorText(binary) + "\n" +
           Pretty(*binary.rhs, level + 1);
  }
  std::string operator()(const Unary& unary) const {
    return indent + (unary.minus ? "-" : "+") + Pretty(*unary.expr, level).substr(indent.size());
  }
  std::string operator()(const Paren& paren) const {
    return indent + "(\n" + Pretty(*paren.expr, level + 1) + "\n" + indent + ")";
  }
};

std::string Pretty(const Expr& expr, size_t level) {
  std::string line = ToString(expr);
  if (line.size() <= kLineMax) return std::string(2 * level, ' ') + line;
  return std::visit(ManyLines{level}, expr.node);
}

}  // namespace

std::string ToString(const Expr& expr) { return std::visit(OneLine{}, expr.node); }

std::string Prettify(const Expr& expr) { return Pretty(expr, 0); }

std::string DurationText(int64_t milliseconds) {
  if (milliseconds == 0) return "0s";
  struct Unit {
    std::string_view name;
    int64_t milliseconds;
    bool exact;  // only written when nothing remains: 8d is not 1w1d
  };
  static constexpr Unit kUnits[] = {
      {"y", 365LL * 86'400'000, true}, {"w", 7LL * 86'400'000, true}, {"d", 86'400'000, false},
      {"h", 3'600'000, false},         {"m", 60'000, false},          {"s", 1'000, false},
      {"ms", 1, false}};
  std::string text = milliseconds < 0 ? "-" : "";
  int64_t rest = std::abs(milliseconds);
  for (const Unit& unit : kUnits) {
    if (rest < unit.milliseconds || (unit.exact && rest % unit.milliseconds != 0)) continue;
    text += std::to_string(rest / unit.milliseconds) + std::string(unit.name);
    rest %= unit.milliseconds;
  }
  return text;
}

}  // namespace hearth::promql
