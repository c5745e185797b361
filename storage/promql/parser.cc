#include "storage/promql/parser.h"

#include <cmath>
#include <utility>

#include "storage/promql/functions.h"
#include "storage/promql/lexer.h"
#include "storage/promql/literal_text.h"
#include "storage/promql/type_check.h"

namespace hearth::promql {

namespace {

struct OperatorRow {
  TokenKind token;
  BinaryOp op;
  int precedence;
};

constexpr OperatorRow kOperators[] = {
    {TokenKind::kOr, BinaryOp::kOr, 1},
    {TokenKind::kAnd, BinaryOp::kAnd, 2},
    {TokenKind::kUnless, BinaryOp::kUnless, 2},
    {TokenKind::kEqualEqual, BinaryOp::kEqual, 3},
    {TokenKind::kNotEqual, BinaryOp::kNotEqual, 3},
    {TokenKind::kLess, BinaryOp::kLess, 3},
    {TokenKind::kLessEqual, BinaryOp::kLessEqual, 3},
    {TokenKind::kGreater, BinaryOp::kGreater, 3},
    {TokenKind::kGreaterEqual, BinaryOp::kGreaterEqual, 3},
    {TokenKind::kAdd, BinaryOp::kAdd, 4},
    {TokenKind::kSub, BinaryOp::kSub, 4},
    {TokenKind::kMul, BinaryOp::kMul, 5},
    {TokenKind::kDiv, BinaryOp::kDiv, 5},
    {TokenKind::kMod, BinaryOp::kMod, 5},
    {TokenKind::kAtan2, BinaryOp::kAtan2, 5},
    {TokenKind::kPow, BinaryOp::kPow, 6},
};
// A sign binds like * and /, so that -2^2 is -(2^2).
constexpr int kSignPrecedence = 6;

const OperatorRow* FindOperator(TokenKind token) {
  for (const OperatorRow& row : kOperators) {
    if (row.token == token) return &row;
  }
  return nullptr;
}

AggregateOp AggregateFrom(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(AggregateOp::kQuantile); ++i) {
    const auto op = static_cast<AggregateOp>(i);
    const std::string_view name = Name(op);
    const auto same = [](char a, char b) {
      return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b);
    };
    if (std::equal(name.begin(), name.end(), text.begin(), text.end(), same)) return op;
  }
  CHECK(false) << "the lexer knows an aggregator the tree does not: " << text;
  return AggregateOp::kSum;
}

class Parser {
 public:
  explicit Parser(std::string_view input) : input_(input) {
    auto [tokens, error] = Tokenize(input);
    tokens_ = std::move(tokens);
    lexer_error_ = std::move(error);
  }

  Result<ExprPtr> Run() {
    if (Peek().kind == TokenKind::kEnd) return Fail(0, "no expression found in input");
    HEARTH_ASSIGN_OR_RETURN(ExprPtr expr, ParseBinary(1));
    if (Peek().kind != TokenKind::kEnd) return Unexpected();
    return expr;
  }

  // Nothing but a name and its matchers.
  Result<ExprPtr> RunSelector() {
    HEARTH_ASSIGN_OR_RETURN(ExprPtr expr, ParsePrimary());
    if (!std::holds_alternative<Selector>(expr->node)) {
      at_ = 0;
      return Unexpected();
    }
    if (Peek().kind != TokenKind::kEnd) return Unexpected();
    return expr;
  }

 private:
  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& Take() { return tokens_[std::min(at_++, tokens_.size() - 1)]; }
  bool TakeIf(TokenKind kind) {
    if (Peek().kind != kind) return false;
    Take();
    return true;
  }

  Status Fail(int position, std::string_view what) const {
    return ParseError(input_, position, what);
  }
  Status Unexpected(const std::string& context = "", const std::string& expected = "") const {
    if (Peek().kind == TokenKind::kInvalid) return lexer_error_;
    std::string what = "unexpected " + Peek().Describe();
    if (!context.empty()) what += " in " + context;
    if (!expected.empty()) what += ", expected " + expected;
    return Fail(Peek().position, what);
  }

  Status TooDeep(int position) const {
    return Fail(position, "expression nests deeper than " + std::to_string(kExprDepthMax) +
                              " levels; split it");
  }

  Result<ExprPtr> MakeExpr(Expr::Node node, int begin, int depth) const {
    if (depth > kExprDepthMax) return TooDeep(begin);
    auto expr = std::make_unique<Expr>();
    expr->node = std::move(node);
    expr->begin = begin;
    expr->end = at_ == 0 ? begin : tokens_[at_ - 1].end();
    expr->depth = depth;
    return expr;
  }

  // Every recursion passes here, so here the stack is bounded.
  Result<ExprPtr> ParseBinary(int min_precedence) {
    if (nesting_ == kExprDepthMax) return TooDeep(Peek().position);
    ++nesting_;
    Result<ExprPtr> expr = ParseOperators(min_precedence);
    --nesting_;
    return expr;
  }

  Result<ExprPtr> ParseOperators(int min_precedence) {
    HEARTH_ASSIGN_OR_RETURN(ExprPtr lhs, ParseUnary());
    while (const OperatorRow* row = FindOperator(Peek().kind)) {
      if (row->precedence < min_precedence) break;
      Binary binary;
      binary.op = row->op;
      binary.op_position = Take().position;
      HEARTH_RETURN_IF_ERROR(ParseModifiers(binary));
      const bool right_associative = row->op == BinaryOp::kPow;
      HEARTH_ASSIGN_OR_RETURN(
          binary.rhs, ParseBinary(right_associative ? row->precedence : row->precedence + 1));
      const int begin = lhs->begin;
      const int depth = 1 + std::max(lhs->depth, binary.rhs->depth);
      binary.lhs = std::move(lhs);
      HEARTH_ASSIGN_OR_RETURN(lhs, MakeExpr(std::move(binary), begin, depth));
    }
    return lhs;
  }

  // bool, on(...), ignoring(...), group_left(...), group_right(...).
  Status ParseModifiers(Binary& binary) {
    binary.return_bool = TakeIf(TokenKind::kBool);
    Matching& matching = binary.matching;
    if (IsSetOperator(binary.op)) matching.card = Matching::Card::kManyToMany;
    const TokenKind kind = Peek().kind;
    if (kind != TokenKind::kOn && kind != TokenKind::kIgnoring) return Status::Ok();
    matching.on = kind == TokenKind::kOn;
    Take();
    HEARTH_ASSIGN_OR_RETURN(matching.labels, ParseLabelList());
    if (Peek().kind == TokenKind::kGroupLeft) {
      matching.card = Matching::Card::kManyToOne;
    } else if (Peek().kind == TokenKind::kGroupRight) {
      matching.card = Matching::Card::kOneToMany;
    } else {
      return Status::Ok();
    }
    Take();
    if (Peek().kind == TokenKind::kLeftParen) {
      HEARTH_ASSIGN_OR_RETURN(matching.include, ParseLabelList());
    }
    return Status::Ok();
  }

  Result<std::vector<std::string>> ParseLabelList() {
    if (!TakeIf(TokenKind::kLeftParen)) return Unexpected("grouping opts", "\"(\"");
    std::vector<std::string> labels;
    while (!TakeIf(TokenKind::kRightParen)) {
      const Token& token = Peek();
      if (token.kind == TokenKind::kString) {
        HEARTH_ASSIGN_OR_RETURN(std::string label, Unquote(input_, token));
        labels.push_back(std::move(label));
      } else if (token.kind == TokenKind::kIdentifier || IsWord(token.kind)) {
        labels.emplace_back(token.text);
      } else {
        return Unexpected("grouping opts", "label");
      }
      Take();
      if (!TakeIf(TokenKind::kComma) && Peek().kind != TokenKind::kRightParen) {
        return Unexpected("grouping opts", "\",\" or \")\"");
      }
    }
    return labels;
  }

  Result<ExprPtr> ParseUnary() {
    const Token& token = Peek();
    if (token.kind != TokenKind::kAdd && token.kind != TokenKind::kSub) return ParsePostfix();
    Take();
    HEARTH_ASSIGN_OR_RETURN(ExprPtr operand, ParseBinary(kSignPrecedence));
    if (auto* number = std::get_if<NumberLiteral>(&operand->node)) {
      if (token.kind == TokenKind::kSub) number->value = -number->value;
      operand->begin = token.position;
      return operand;
    }
    const int depth = operand->depth + 1;
    return MakeExpr(Unary{token.kind == TokenKind::kSub, std::move(operand)}, token.position,
                    depth);
  }

  // A primary with what may follow it: [5m], [5m:1m], offset and @.
  Result<ExprPtr> ParsePostfix() {
    HEARTH_ASSIGN_OR_RETURN(ExprPtr expr, ParsePrimary());
    while (true) {
      if (Peek().kind == TokenKind::kLeftBracket) {
        HEARTH_ASSIGN_OR_RETURN(expr, ParseRange(std::move(expr)));
      } else if (Peek().kind == TokenKind::kOffset) {
        HEARTH_RETURN_IF_ERROR(ParseOffset(*expr));
      } else if (Peek().kind == TokenKind::kAt) {
        HEARTH_RETURN_IF_ERROR(ParseAt(*expr));
      } else {
        return expr;
      }
    }
  }

  Result<ExprPtr> ParsePrimary() {
    const Token& token = Peek();
    switch (token.kind) {
      case TokenKind::kNumber:
        Take();
        return MakeExpr(NumberLiteral{NumberValue(token.text), false}, token.position, 1);
      case TokenKind::kDuration: {
        int64_t milliseconds = 0;
        if (!DurationMs(token.text, milliseconds))
          return Fail(token.position, "duration out of range");
        Take();
        const double seconds = static_cast<double>(milliseconds) / 1000;
        return MakeExpr(NumberLiteral{seconds, true}, token.position, 1);
      }
      case TokenKind::kString: {
        HEARTH_ASSIGN_OR_RETURN(std::string text, Unquote(input_, token));
        Take();
        return MakeExpr(StringLiteral{std::move(text)}, token.position, 1);
      }
      case TokenKind::kLeftParen: {
        Take();
        HEARTH_ASSIGN_OR_RETURN(ExprPtr inner, ParseBinary(1));
        if (!TakeIf(TokenKind::kRightParen)) return Unexpected();
        const int depth = inner->depth + 1;
        return MakeExpr(Paren{std::move(inner)}, token.position, depth);
      }
      case TokenKind::kLeftBrace: return ParseSelector("");
      case TokenKind::kAggregator: {
        const TokenKind next = Peek(1).kind;
        if (next == TokenKind::kLeftParen || next == TokenKind::kBy ||
            next == TokenKind::kWithout) {
          return ParseAggregate();
        }
        break;
      }
      case TokenKind::kIdentifier:
      case TokenKind::kStart:
      case TokenKind::kEndWord:
        if (Peek(1).kind == TokenKind::kLeftParen) return ParseCall();
        break;
      default: break;
    }
    if (token.kind == TokenKind::kIdentifier || token.kind == TokenKind::kMetricIdentifier ||
        IsWord(token.kind)) {
      // Operators are names nowhere: `a and` lacks an operand.
      if (FindOperator(token.kind) == nullptr) {
        Take();
        return ParseSelector(std::string(token.text));
      }
    }
    return Unexpected();
  }

  Result<ExprPtr> ParseSelector(std::string name) {
    Selector selector;
    const int begin = name.empty() ? Peek().position : tokens_[at_ - 1].position;
    selector.name = std::move(name);
    if (TakeIf(TokenKind::kLeftBrace)) {
      while (!TakeIf(TokenKind::kRightBrace)) {
        HEARTH_RETURN_IF_ERROR(ParseMatcher(selector, begin));
        if (!TakeIf(TokenKind::kComma) && Peek().kind != TokenKind::kRightBrace) {
          return Unexpected("label matching", "\",\" or \"}\"");
        }
      }
    }
    if (!selector.name.empty()) {
      selector.matchers.push_back(
          Matcher::Make("__name__", Matcher::Op::kEqual, selector.name).value());
    }
    return MakeExpr(std::move(selector), begin, 1);
  }

  // name="value", "quoted name"="value", or a quoted metric name alone.
  Status ParseMatcher(Selector& selector, int begin) {
    const Token& token = Take();
    std::string name(token.text);
    if (token.kind == TokenKind::kString) {
      HEARTH_ASSIGN_OR_RETURN(name, Unquote(input_, token));
      if (Peek().kind == TokenKind::kComma || Peek().kind == TokenKind::kRightBrace) {
        if (!selector.name.empty()) {
          return Fail(begin, "metric name must not be set twice: " + Quote(selector.name) + " or " +
                                 Quote(name));
        }
        selector.name = std::move(name);
        return Status::Ok();
      }
    } else if (token.kind != TokenKind::kIdentifier) {
      --at_;
      return Unexpected("label matching", "identifier or \"}\"");
    }
    Matcher::Op op = Matcher::Op::kEqual;
    switch (Peek().kind) {
      case TokenKind::kEqual: break;
      case TokenKind::kNotEqual: op = Matcher::Op::kNotEqual; break;
      case TokenKind::kRegexMatch: op = Matcher::Op::kRegex; break;
      case TokenKind::kRegexNotMatch: op = Matcher::Op::kNotRegex; break;
      default: return Unexpected("label matching", "label matching operator");
    }
    Take();
    if (Peek().kind != TokenKind::kString) return Unexpected("label matching", "string");
    HEARTH_ASSIGN_OR_RETURN(std::string value, Unquote(input_, Peek()));
    Take();
    Result<Matcher> matcher = Matcher::Make(std::move(name), op, std::move(value));
    if (!matcher.ok()) return Fail(token.position, matcher.status().message());
    selector.matchers.push_back(std::move(matcher).value());
    return Status::Ok();
  }

  Result<std::vector<ExprPtr>> ParseArguments(const std::string& context) {
    if (!TakeIf(TokenKind::kLeftParen)) return Unexpected(context);
    std::vector<ExprPtr> args;
    if (TakeIf(TokenKind::kRightParen)) return args;
    while (true) {
      HEARTH_ASSIGN_OR_RETURN(ExprPtr arg, ParseBinary(1));
      args.push_back(std::move(arg));
      if (TakeIf(TokenKind::kRightParen)) return args;
      if (!TakeIf(TokenKind::kComma)) return Unexpected(context);
      if (Peek().kind == TokenKind::kRightParen) {
        return Fail(Peek().position, "trailing commas not allowed in function call args");
      }
    }
  }

  static int DepthOf(const std::vector<ExprPtr>& children) {
    int depth = 0;
    for (const ExprPtr& child : children) depth = std::max(depth, child->depth);
    return depth;
  }

  Result<ExprPtr> ParseCall() {
    const Token& name = Take();
    Call call;
    call.function = FindFunction(name.text);
    if (call.function == nullptr) {
      return Fail(name.position, "unknown function with name " + Quote(name.text));
    }
    HEARTH_ASSIGN_OR_RETURN(call.args, ParseArguments("function call"));
    const int depth = 1 + DepthOf(call.args);
    return MakeExpr(std::move(call), name.position, depth);
  }

  Result<ExprPtr> ParseAggregate() {
    const Token& name = Take();
    Aggregate aggregate;
    aggregate.op = AggregateFrom(name.text);
    bool grouped = false;
    HEARTH_RETURN_IF_ERROR(ParseGrouping(aggregate, grouped));
    HEARTH_ASSIGN_OR_RETURN(std::vector<ExprPtr> args, ParseArguments("aggregation"));
    if (!grouped) HEARTH_RETURN_IF_ERROR(ParseGrouping(aggregate, grouped));
    const bool parametrized =
        aggregate.op == AggregateOp::kTopk || aggregate.op == AggregateOp::kBottomk ||
        aggregate.op == AggregateOp::kCountValues || aggregate.op == AggregateOp::kQuantile;
    const size_t expected = parametrized ? 2 : 1;
    if (args.empty()) {
      return Fail(name.position, "no arguments for aggregate expression provided");
    }
    if (args.size() != expected) {
      return Fail(name.position,
                  "wrong number of arguments for aggregate expression provided, expected " +
                      std::to_string(expected) + ", got " + std::to_string(args.size()));
    }
    const int depth = 1 + DepthOf(args);
    if (parametrized) aggregate.parameter = std::move(args.front());
    aggregate.expr = std::move(args.back());
    return MakeExpr(std::move(aggregate), name.position, depth);
  }

  Status ParseGrouping(Aggregate& aggregate, bool& grouped) {
    const TokenKind kind = Peek().kind;
    if (kind != TokenKind::kBy && kind != TokenKind::kWithout) return Status::Ok();
    Take();
    grouped = true;
    aggregate.without = kind == TokenKind::kWithout;
    HEARTH_ASSIGN_OR_RETURN(aggregate.grouping, ParseLabelList());
    return Status::Ok();
  }

  // A duration or a number of seconds, signed where the grammar allows it.
  Result<int64_t> TakeDuration(const std::string& context, bool is_signed) {
    int64_t sign = 1;
    if (is_signed && (Peek().kind == TokenKind::kSub || Peek().kind == TokenKind::kAdd)) {
      if (Take().kind == TokenKind::kSub) sign = -1;
    }
    const Token& token = Peek();
    int64_t milliseconds = 0;
    if (token.kind == TokenKind::kDuration) {
      if (!DurationMs(token.text, milliseconds))
        return Fail(token.position, "duration out of range");
    } else if (token.kind == TokenKind::kNumber) {
      const double value = NumberValue(token.text) * 1000;
      if (!(std::abs(value) < 9.2e15)) return Fail(token.position, "duration out of range");
      milliseconds = static_cast<int64_t>(std::llround(value));
    } else {
      return Unexpected(context, "number or duration");
    }
    if (!is_signed && milliseconds <= 0) {
      return Fail(token.position, "duration must be greater than 0");
    }
    Take();
    return sign * milliseconds;
  }

  Result<ExprPtr> ParseRange(ExprPtr expr) {
    const int bracket = Take().position;
    HEARTH_ASSIGN_OR_RETURN(const int64_t range_ms,
                            TakeDuration("subquery or range selector", false));
    if (TakeIf(TokenKind::kColon)) {
      Subquery subquery;
      subquery.range_ms = range_ms;
      if (Peek().kind != TokenKind::kRightBracket) {
        HEARTH_ASSIGN_OR_RETURN(subquery.step_ms, TakeDuration("subquery selector", false));
      }
      if (!TakeIf(TokenKind::kRightBracket)) return Unexpected("subquery selector", "\"]\"");
      const int begin = expr->begin;
      const int depth = expr->depth + 1;
      subquery.expr = std::move(expr);
      return MakeExpr(std::move(subquery), begin, depth);
    }
    if (!TakeIf(TokenKind::kRightBracket)) {
      return Unexpected("subquery or range", "\":\" or \"]\"");
    }
    auto* selector = std::get_if<Selector>(&expr->node);
    if (selector == nullptr || selector->range_ms != 0) {
      return Fail(bracket, "ranges only allowed for vector selectors");
    }
    if (selector->shift.has_offset)
      return Fail(bracket, "no offset modifiers allowed before range");
    if (selector->shift.has_at()) return Fail(bracket, "no @ modifiers allowed before range");
    selector->range_ms = range_ms;
    expr->end = tokens_[at_ - 1].end();
    return expr;
  }

  static TimeShift* ShiftOf(Expr& expr) {
    if (auto* selector = std::get_if<Selector>(&expr.node)) return &selector->shift;
    if (auto* subquery = std::get_if<Subquery>(&expr.node)) return &subquery->shift;
    return nullptr;
  }

  Status ParseOffset(Expr& expr) {
    Take();
    HEARTH_ASSIGN_OR_RETURN(const int64_t offset_ms, TakeDuration("offset", true));
    TimeShift* shift = ShiftOf(expr);
    if (shift == nullptr) {
      return Fail(expr.begin,
                  "offset modifier must be preceded by an instant vector selector or range "
                  "vector selector or a subquery");
    }
    if (shift->has_offset) return Fail(expr.begin, "offset may not be set multiple times");
    shift->has_offset = true;
    shift->offset_ms = offset_ms;
    expr.end = tokens_[at_ - 1].end();
    return Status::Ok();
  }

  Status ParseAt(Expr& expr) {
    Take();
    TimeShift* shift = ShiftOf(expr);
    if (shift == nullptr) {
      return Fail(expr.begin,
                  "@ modifier must be preceded by an instant vector selector or range vector "
                  "selector or a subquery");
    }
    if (shift->has_at()) return Fail(expr.begin, "@ <timestamp> may not be set multiple times");
    const TokenKind kind = Peek().kind;
    if (kind == TokenKind::kStart || kind == TokenKind::kEndWord) {
      Take();
      if (!TakeIf(TokenKind::kLeftParen) || !TakeIf(TokenKind::kRightParen)) {
        return Unexpected("@", "timestamp");
      }
      shift->at_edge = kind == TokenKind::kStart ? TimeShift::Edge::kStart : TimeShift::Edge::kEnd;
    } else {
      if (kind == TokenKind::kNumber && !std::isfinite(NumberValue(Peek().text))) {
        return Fail(Peek().position, "timestamp out of bounds for @ modifier: " +
                                         std::string(Peek().text));
      }
      HEARTH_ASSIGN_OR_RETURN(shift->at_ms, TakeDuration("@", true));
    }
    expr.end = tokens_[at_ - 1].end();
    return Status::Ok();
  }

  std::string_view input_;
  std::vector<Token> tokens_;
  Status lexer_error_;  // at the last token
  size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace

Result<ExprPtr> Parse(std::string_view input) {
  HEARTH_ASSIGN_OR_RETURN(ExprPtr expr, Parser(input).Run());
  HEARTH_RETURN_IF_ERROR(CheckTypes(input, *expr));
  return expr;
}

Result<std::vector<Matcher>> ParseMatchers(std::string_view input) {
  HEARTH_ASSIGN_OR_RETURN(ExprPtr expr, Parser(input).RunSelector());
  return std::move(std::get<Selector>(expr->node).matchers);
}

Result<int64_t> ParseDurationMs(std::string_view text) {
  const Tokens tokens = Tokenize(text);
  if (tokens.error.ok() && tokens.list.size() == 2) {
    const Token& token = tokens.list.front();
    int64_t milliseconds = 0;
    if (token.kind == TokenKind::kDuration && DurationMs(token.text, milliseconds)) {
      return milliseconds;
    }
    if (token.kind == TokenKind::kNumber) {
      const double value = NumberValue(token.text) * 1000;
      if (std::abs(value) < 9.2e15) return static_cast<int64_t>(std::llround(value));
    }
  }
  return InvalidArgument("cannot parse " + Quote(text) + " to a valid duration");
}

}  // namespace hearth::promql
