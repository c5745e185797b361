#include "storage/promql/parser.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hearth::promql {
namespace {

std::string Printed(std::string_view text) {
  const Result<ExprPtr> expr = Parse(text);
  return expr.ok() ? ToString(**expr) : expr.status().message();
}

std::string ErrorOf(std::string_view text) {
  const Result<ExprPtr> expr = Parse(text);
  return expr.ok() ? "no error" : expr.status().message();
}

double NumberOf(std::string_view text) {
  const Result<ExprPtr> expr = Parse(text);
  if (!expr.ok()) return -1;
  return std::get<NumberLiteral>((*expr)->node).value;
}

// The tree with every operator in parentheses.
std::string Grouped(const Expr& expr) {
  if (const auto* binary = std::get_if<Binary>(&expr.node)) {
    return "(" + Grouped(*binary->lhs) + std::string(Name(binary->op)) + Grouped(*binary->rhs) + ")";
  }
  if (const auto* unary = std::get_if<Unary>(&expr.node)) return "-" + Grouped(*unary->expr);
  return ToString(expr);
}

TEST(Parser, BindsOperatorsAsPrometheusDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"a + b * c", "(a+(b*c))"},
      {"a * b + c", "((a*b)+c)"},
      {"a - b - c", "((a-b)-c)"},
      {"a ^ b ^ c", "(a^(b^c))"},
      {"-a ^ b", "-(a^b)"},
      {"-a * b", "(-a*b)"},
      {"a or b and c unless d", "(aor((bandc)unlessd))"},
      {"a == b + 1 > c", "((a==(b+1))>c)"},
      {"a % b atan2 c", "((a%b)atan2c)"},
  };
  for (const auto& [text, grouped] : cases) EXPECT_EQ(Grouped(**Parse(text)), grouped) << text;
}

TEST(Parser, ReadsNumbers) {
  EXPECT_EQ(NumberOf("0x1F"), 31);
  EXPECT_EQ(NumberOf("0755"), 493);
  EXPECT_EQ(NumberOf(".5"), 0.5);
  EXPECT_EQ(NumberOf("5."), 5);
  EXPECT_EQ(NumberOf("1e-3"), 0.001);
  EXPECT_EQ(NumberOf("-iNf"), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(NumberOf("NaN")));
  EXPECT_EQ(NumberOf("1h30m"), 5400);
  EXPECT_EQ(NumberOf("5 # five"), 5);
}

TEST(Parser, PrintsWhatItRead) {
  const char* const texts[] = {
      "foo{a=\"b\",c!=\"d\",e=~\"f.*\",g!~\"h\"}",
      "{__name__=\"foo\"}",
      "rate(foo_total[5m] @ 1.500 offset 1m30s)",
      "foo offset -1h",
      "sum by (a, b) (foo)",
      "sum without (a) (foo)",
      "topk(5, foo)",
      "foo * on (a) group_left (b) bar",
      "foo / ignoring (a) bar",
      "foo == bool 1",
      "max_over_time(rate(foo_total[5m])[1h:30s] @ end())",
      "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\\n\")",
      "(a + b) * -c",
      "histogram_quantile(0.99, sum by (le) (rate(x_bucket[1m])))",
  };
  for (const char* text : texts) EXPECT_EQ(Printed(text), text);
}

TEST(Parser, TakesWordsAsNames) {
  EXPECT_EQ(Printed("sum by (group, on, bool) (offset)"), "sum by (group, on, bool) (offset)");
  EXPECT_EQ(Printed("count{by=\"x\"}"), "count{by=\"x\"}");
  EXPECT_EQ(Printed("SUM(x) BY (a)"), "sum by (a) (x)");
  EXPECT_EQ(Printed("job:foo:rate5m"), "job:foo:rate5m");
  EXPECT_EQ(Printed("{\"foo\", a='b'}"), "foo{a=\"b\"}");
}

TEST(Parser, NamesMistakesInPrometheusWords) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "1:1: parse error: no expression found in input"},
      {"1 +", "1:4: parse error: unexpected end of input"},
      {"*1", "1:1: parse error: unexpected <op:*>"},
      {"(1", "1:3: parse error: unclosed left parenthesis"},
      {"(1))", "1:4: parse error: unexpected right parenthesis ')'"},
      {"foo{", "1:5: parse error: unexpected end of input inside braces"},
      {"foo{a=~\"(\"}", "1:5: parse error: error parsing regexp: missing closing ): `(`"},
      {"{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"{a=~\".*\"}",
       "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"foo{__name__=\"bar\"}",
       "1:1: parse error: metric name must not be set twice: \"foo\" or \"bar\""},
      {"1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"},
      {"a + bool b",
       "1:3: parse error: bool modifier can only be used on comparison operators"},
      {"a and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"},
      {"a and on(b) group_left(c) d", "1:1: parse error: no grouping allowed for \"and\" operation"},
      {"a * on(b) group_left(b) c",
       "1:3: parse error: label \"b\" must not occur in ON and GROUP clause at once"},
      {"rate(foo)",
       "1:6: parse error: expected type range vector in call to function \"rate\", got instant "
       "vector"},
      {"rate()", "1:1: parse error: expected 1 argument(s) in call to \"rate\", got 0"},
      {"nope(1)", "1:1: parse error: unknown function with name \"nope\""},
      {"sum(foo[5m])",
       "1:5: parse error: expected type instant vector in aggregation expression, got range vector"},
      {"topk(foo)",
       "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, "
       "got 1"},
      {"foo[0s]", "1:5: parse error: duration must be greater than 0"},
      {"(a+b)[5m]", "1:6: parse error: ranges only allowed for vector selectors"},
      {"foo offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"},
      {"\"abc", "1:1: parse error: unterminated quoted string"},
      {"1 \n + + *", "2:6: parse error: unexpected <op:*>"},
      {"-\"a\"",
       "1:1: parse error: unary expression only allowed on expressions of type scalar or instant "
       "vector, got \"string\""},
      {"a $ b", "1:3: parse error: unexpected character: '$'"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(ErrorOf(text), error) << text;
}

TEST(Parser, RefusesDeepNesting) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '(') + "1" + std::string(levels, ')');
  };
  EXPECT_EQ(ErrorOf(nested(90)), "no error");
  EXPECT_NE(ErrorOf(nested(100'000)).find("nests deeper than 100 levels"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(100'000, '-') + "1").find("nests deeper"), std::string::npos);
  std::string powers = "2";
  std::string sums = "1";
  for (int i = 0; i < 10'000; ++i) {
    powers += "^2";
    sums += "+1";
  }
  EXPECT_NE(ErrorOf(powers).find("nests deeper"), std::string::npos);
  EXPECT_NE(ErrorOf(sums).find("nests deeper"), std::string::npos);
}

TEST(Parser, BreaksOnlyLongLines) {
  EXPECT_EQ(Prettify(**Parse("sum( a )")), "sum(a)");
  const std::string name(60, 'x');
  EXPECT_EQ(Prettify(**Parse("sum by (le) (" + name + ") + " + name)),
            "  sum by (le) (" + name + ")\n+\n  " + name);
}

TEST(Parser, ReadsMatchersAndDurationsOfParameters) {
  EXPECT_EQ(ParseMatchers("up{job=\"a\"}")->size(), 2u);
  EXPECT_FALSE(ParseMatchers("up + 1").ok());
  EXPECT_FALSE(ParseMatchers("up[5m]").ok());
  EXPECT_EQ(*ParseDurationMs("1h30m"), 5'400'000);
  EXPECT_EQ(*ParseDurationMs("1.5"), 1500);
  EXPECT_FALSE(ParseDurationMs("5x").ok());
  EXPECT_FALSE(ParseDurationMs("").ok());
}

}  // namespace
}  // namespace hearth::promql
