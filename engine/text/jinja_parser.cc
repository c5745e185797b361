#include "engine/text/jinja_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "engine/text/jinja_lexer.h"

namespace hearth::engine::jinja {
namespace {

template <typename Op>
struct OperatorName {
  std::string_view text;
  Op op;
};
using BinaryNames = std::span<const OperatorName<BinaryOperator>>;

constexpr OperatorName<BinaryOperator> kSumOperators[] = {{"+", BinaryOperator::kAdd},
                                                          {"-", BinaryOperator::kSubtract}};
constexpr OperatorName<BinaryOperator> kConcatOperators[] = {{"~", BinaryOperator::kConcat}};
constexpr OperatorName<BinaryOperator> kProductOperators[] = {{"*", BinaryOperator::kMultiply},
                                                              {"/", BinaryOperator::kDivide},
                                                              {"//", BinaryOperator::kFloorDivide},
                                                              {"%", BinaryOperator::kModulo}};
constexpr OperatorName<BinaryOperator> kPowerOperators[] = {{"**", BinaryOperator::kPower}};
// From weakest to strongest.
constexpr std::array<BinaryNames, 4> kBinaryLevels = {kSumOperators, kConcatOperators,
                                                      kProductOperators, kPowerOperators};

constexpr OperatorName<CompareOperator> kCompareOperators[] = {
    {"==", CompareOperator::kEqual},  {"!=", CompareOperator::kNotEqual},
    {"<", CompareOperator::kLess},    {"<=", CompareOperator::kLessEqual},
    {">", CompareOperator::kGreater}, {">=", CompareOperator::kGreaterEqual}};

class Parser {
 public:
  explicit Parser(std::vector<LexToken> tokens) : tokens_(std::move(tokens)) {}

  Body ParseAll() {
    Body body = ParseBody({});
    if (!Is(TokenKind::kEnd)) Fail("unexpected '" + Current().text + "'");
    return body;
  }

 private:
  // ---- tokens ----------------------------------------------------------------------------------

  const LexToken& Current() const { return tokens_[pos_]; }
  const LexToken& Ahead(size_t n) const { return tokens_[std::min(pos_ + n, tokens_.size() - 1)]; }
  LexToken Take() {
    const size_t at = pos_;
    if (pos_ + 1 < tokens_.size()) ++pos_;
    return tokens_[at];
  }

  bool Is(TokenKind kind) const { return Current().kind == kind; }
  bool IsOperator(std::string_view text) const {
    return Is(TokenKind::kOperator) && Current().text == text;
  }
  bool IsName(std::string_view text) const {
    return Is(TokenKind::kName) && Current().text == text;
  }
  bool SkipOperator(std::string_view text) {
    if (!IsOperator(text)) return false;
    Take();
    return true;
  }
  bool SkipName(std::string_view text) {
    if (!IsName(text)) return false;
    Take();
    return true;
  }
  void ExpectOperator(std::string_view text) {
    if (!SkipOperator(text)) FailExpected("'" + std::string(text) + "'");
  }
  void Expect(TokenKind kind, const char* what) {
    if (!Is(kind)) FailExpected(what);
    Take();
  }
  std::string ExpectName() {
    if (!Is(TokenKind::kName)) FailExpected("a name");
    return Take().text;
  }

  [[noreturn]] void Fail(const std::string& what) const {
    throw Error("line " + std::to_string(Current().line) + ": " + what);
  }
  [[noreturn]] void FailExpected(const std::string& what) const {
    const bool at_end = Is(TokenKind::kEnd);
    Fail("expected " + what + ", found " + (at_end ? "the end" : "'" + Current().text + "'"));
  }

  // Counts levels of nesting for as long as it lives.
  class DepthGuard {
   public:
    explicit DepthGuard(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kParseDepthMax) {
        --parser_.depth_;
        parser_.Fail("nested deeper than " + std::to_string(kParseDepthMax) + " levels");
      }
    }
    ~DepthGuard() { --parser_.depth_; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;

   private:
    Parser& parser_;
  };

  template <typename Node>
  ExpressionPtr Make(Node node, int line) const {
    return std::make_unique<Expression>(Expression{line, std::move(node)});
  }
  template <typename Node>
  std::unique_ptr<Statement> MakeStatement(Node node, int line) const {
    return std::make_unique<Statement>(Statement{line, std::move(node)});
  }

  // ---- expressions -----------------------------------------------------------------------------

  ExpressionPtr ParseExpression(bool with_condition = true) {
    const DepthGuard guard(*this);
    const int line = Current().line;
    ExpressionPtr expression = ParseLogical(/*is_and=*/false);
    while (with_condition && SkipName("if")) {
      Conditional conditional;
      conditional.then = std::move(expression);
      conditional.condition = ParseLogical(/*is_and=*/false);
      if (SkipName("else")) conditional.otherwise = ParseExpression();
      expression = Make(std::move(conditional), line);
    }
    return expression;
  }

  // a, b, c is a tuple.
  ExpressionPtr ParseTuple(bool with_condition = true) {
    const int line = Current().line;
    ExpressionPtr first = ParseExpression(with_condition);
    if (!IsOperator(",")) return first;
    ListExpression tuple{.items = {}, .is_tuple = true};
    tuple.items.push_back(std::move(first));
    while (SkipOperator(",")) {
      if (AtTupleEnd()) break;
      tuple.items.push_back(ParseExpression(with_condition));
    }
    return Make(std::move(tuple), line);
  }
  bool AtTupleEnd() const {
    return Is(TokenKind::kVariableEnd) || Is(TokenKind::kBlockEnd) || IsOperator(")");
  }

  ExpressionPtr ParseLogical(bool is_and) {
    const int line = Current().line;
    const auto parse_operand = [&] { return is_and ? ParseNot() : ParseLogical(true); };
    ExpressionPtr first = parse_operand();
    const std::string_view word = is_and ? "and" : "or";
    if (!IsName(word)) return first;
    Logical logical{.is_and = is_and, .operands = {}};
    logical.operands.push_back(std::move(first));
    while (SkipName(word)) logical.operands.push_back(parse_operand());
    return Make(std::move(logical), line);
  }

  ExpressionPtr ParseNot() {
    const int line = Current().line;
    if (!SkipName("not")) return ParseComparison();
    const DepthGuard guard(*this);
    return Make(Unary{UnaryOperator::kNot, ParseNot()}, line);
  }

  std::optional<CompareOperator> TakeCompareOperator() {
    for (const auto& name : kCompareOperators) {
      if (SkipOperator(name.text)) return name.op;
    }
    if (SkipName("in")) return CompareOperator::kIn;
    if (IsName("not") && Ahead(1).kind == TokenKind::kName && Ahead(1).text == "in") {
      Take();
      Take();
      return CompareOperator::kNotIn;
    }
    return std::nullopt;
  }

  ExpressionPtr ParseComparison() {
    const int line = Current().line;
    Comparison comparison{.first = ParseArithmetic(0), .rest = {}};
    while (const auto op = TakeCompareOperator()) {
      comparison.rest.emplace_back(*op, ParseArithmetic(0));
    }
    if (comparison.rest.empty()) return std::move(comparison.first);
    return Make(std::move(comparison), line);
  }

  ExpressionPtr ParseArithmetic(size_t level) {
    if (level == kBinaryLevels.size()) return ParseUnary(/*with_filters=*/true);
    const int line = Current().line;
    Arithmetic arithmetic{.first = ParseArithmetic(level + 1), .rest = {}};
    while (true) {
      const auto names = kBinaryLevels[level];
      const auto found = std::find_if(names.begin(), names.end(),
                                      [&](const auto& name) { return IsOperator(name.text); });
      if (found == names.end()) break;
      Take();
      arithmetic.rest.emplace_back(found->op, ParseArithmetic(level + 1));
    }
    if (arithmetic.rest.empty()) return std::move(arithmetic.first);
    return Make(std::move(arithmetic), line);
  }

  // As in Jinja, -x|abs filters -x.
  ExpressionPtr ParseUnary(bool with_filters) {
    const int line = Current().line;
    Postfix postfix;
    if (IsOperator("-") || IsOperator("+")) {
      const DepthGuard guard(*this);
      const UnaryOperator op = Take().text == "-" ? UnaryOperator::kMinus : UnaryOperator::kPlus;
      postfix.base = Make(Unary{op, ParseUnary(/*with_filters=*/false)}, line);
    } else {
      postfix.base = ParsePrimary();
    }
    ParsePostfix(postfix.operations, with_filters);
    if (postfix.operations.empty()) return std::move(postfix.base);
    return Make(std::move(postfix), line);
  }

  ExpressionPtr ParsePrimary() {
    const int line = Current().line;
    const size_t begin = pos_;
    const LexToken token = Take();
    switch (token.kind) {
      case TokenKind::kName: return ParseName(token);
      case TokenKind::kInteger: return Make(Literal{ParseInteger(token)}, line);
      case TokenKind::kFloat: return Make(Literal{Value(std::stod(token.text))}, line);
      case TokenKind::kString: {
        std::string text = token.text;
        while (Is(TokenKind::kString)) text += Take().text;  // adjacent strings are one
        return Make(Literal{Value(Text(std::move(text)))}, line);
      }
      case TokenKind::kOperator:
        if (token.text == "(") return ParseParentheses(line);
        if (token.text == "[") return ParseList(line);
        if (token.text == "{") return ParseDict(line);
        break;
      default: break;
    }
    pos_ = begin;
    FailExpected("an expression");
  }

  ExpressionPtr ParseName(const LexToken& token) const {
    const std::string& name = token.text;
    if (name == "true" || name == "True") return Make(Literal{Value(true)}, token.line);
    if (name == "false" || name == "False") return Make(Literal{Value(false)}, token.line);
    if (name == "none" || name == "None") return Make(Literal{Value(None{})}, token.line);
    return Make(Name{name}, token.line);
  }

  Value ParseInteger(const LexToken& token) const {
    int64_t number = 0;
    const char* end = token.text.data() + token.text.size();
    if (std::from_chars(token.text.data(), end, number).ec != std::errc()) {
      throw Error("line " + std::to_string(token.line) + ": the number " + token.text +
                  " does not fit into 64 bits");
    }
    return Value(number);
  }

  ExpressionPtr ParseParentheses(int line) {
    if (SkipOperator(")")) return Make(ListExpression{.items = {}, .is_tuple = true}, line);
    ExpressionPtr inner = ParseTuple();
    ExpectOperator(")");
    return inner;
  }

  ExpressionPtr ParseList(int line) {
    ListExpression list;
    while (!SkipOperator("]")) {
      list.items.push_back(ParseExpression());
      if (!IsOperator("]")) ExpectOperator(",");
    }
    return Make(std::move(list), line);
  }

  ExpressionPtr ParseDict(int line) {
    DictExpression dict;
    while (!SkipOperator("}")) {
      ExpressionPtr key = ParseExpression();
      ExpectOperator(":");
      dict.entries.emplace_back(std::move(key), ParseExpression());
      if (!IsOperator("}")) ExpectOperator(",");
    }
    return Make(std::move(dict), line);
  }

  void ParsePostfix(std::vector<PostfixOperation>& operations, bool with_filters) {
    while (true) {
      if (SkipOperator(".")) {
        operations.push_back(ParseAttribute());
      } else if (SkipOperator("[")) {
        operations.push_back(ParseSubscript());
      } else if (IsOperator("(")) {
        operations.push_back(Call{ParseArguments()});
      } else if (with_filters && SkipOperator("|")) {
        operations.push_back(ParseFilter());
      } else if (with_filters && SkipName("is")) {
        operations.push_back(ParseTest());
      } else {
        return;
      }
    }
  }

  PostfixOperation ParseAttribute() {
    if (Is(TokenKind::kInteger)) {  // items.0
      const LexToken token = Take();
      return GetItem{Make(Literal{ParseInteger(token)}, token.line)};
    }
    return GetAttribute{ExpectName()};
  }

  PostfixOperation ParseSubscript() {
    const auto at_bound = [&] { return IsOperator(":") || IsOperator("]"); };
    ExpressionPtr start = at_bound() ? nullptr : ParseExpression();
    if (start != nullptr && SkipOperator("]")) return GetItem{std::move(start)};
    GetSlice slice;
    slice.start = std::move(start);
    ExpectOperator(":");
    if (!at_bound()) slice.stop = ParseExpression();
    if (SkipOperator(":") && !at_bound()) slice.step = ParseExpression();
    ExpectOperator("]");
    return slice;
  }

  Arguments ParseArguments() {
    const DepthGuard guard(*this);
    Arguments arguments;
    ExpectOperator("(");
    while (!SkipOperator(")")) {
      if (IsOperator("*") || IsOperator("**")) Fail("* and ** in a call are not supported");
      const bool is_named =
          Is(TokenKind::kName) && Ahead(1).kind == TokenKind::kOperator && Ahead(1).text == "=";
      if (is_named) {
        std::string name = Take().text;
        Take();
        arguments.named.emplace_back(std::move(name), ParseExpression());
      } else if (arguments.named.empty()) {
        arguments.positional.push_back(ParseExpression());
      } else {
        Fail("a positional argument follows a named one");
      }
      if (!IsOperator(")")) ExpectOperator(",");
    }
    return arguments;
  }

  ApplyFilter ParseFilter() {
    ApplyFilter filter{.name = ExpectName(), .arguments = {}};
    if (IsOperator("(")) filter.arguments = ParseArguments();
    return filter;
  }

  ApplyTest ParseTest() {
    ApplyTest test;
    test.negated = SkipName("not");
    test.name = ExpectName();
    if (IsOperator("(")) {
      test.arguments = ParseArguments();
    } else if (AtTestArgument()) {
      Postfix postfix{.base = ParsePrimary(), .operations = {}};
      const int line = postfix.base->line;
      ParsePostfix(postfix.operations, /*with_filters=*/false);
      test.arguments.positional.push_back(Make(std::move(postfix), line));
    }
    return test;
  }

  // "x is divisibleby 3": one argument without parentheses.
  bool AtTestArgument() const {
    if (Is(TokenKind::kName)) {
      static constexpr std::array<std::string_view, 7> kWords = {"else", "or",  "and", "if",
                                                                 "in",   "not", "is"};
      return std::find(kWords.begin(), kWords.end(), Current().text) == kWords.end();
    }
    return Is(TokenKind::kString) || Is(TokenKind::kInteger) || Is(TokenKind::kFloat) ||
           IsOperator("[") || IsOperator("{");
  }

  // ---- statements ------------------------------------------------------------------------------

  // Statements up to a block whose name is in `ends`, which stays unread behind its "{%".
  Body ParseBody(std::span<const std::string_view> ends) {
    const DepthGuard guard(*this);
    Body body;
    while (!Is(TokenKind::kEnd)) {
      const int line = Current().line;
      if (Is(TokenKind::kData)) {
        body.push_back(MakeStatement(DataStatement{Text(Take().text)}, line));
      } else if (Is(TokenKind::kVariableBegin)) {
        Take();
        body.push_back(MakeStatement(OutputStatement{ParseTuple()}, line));
        Expect(TokenKind::kVariableEnd, "'}}'");
      } else {
        Expect(TokenKind::kBlockBegin, "'{%'");
        if (std::find(ends.begin(), ends.end(), Current().text) != ends.end()) return body;
        body.push_back(ParseStatement());
      }
    }
    if (!ends.empty()) FailExpected("'{% " + std::string(ends.back()) + " %}'");
    return body;
  }
  Body ParseBodyUntil(std::initializer_list<std::string_view> ends) {
    return ParseBody(std::span(ends.begin(), ends.size()));
  }
  void EndBlock() { Expect(TokenKind::kBlockEnd, "'%}'"); }
  // The body of a block that only `end` closes, with the tags around it.
  Body ParseEnclosed(std::string_view end) {
    EndBlock();
    Body body = ParseBodyUntil({end});
    Take();
    if (end == "endmacro" && Is(TokenKind::kName)) Take();  // {% endmacro name %}
    EndBlock();
    return body;
  }

  std::unique_ptr<Statement> ParseStatement() {
    const int line = Current().line;
    const std::string keyword = ExpectName();
    if (keyword == "if") return MakeStatement(ParseIf(), line);
    if (keyword == "for") return MakeStatement(ParseFor(), line);
    if (keyword == "set") return ParseSet(line);
    if (keyword == "macro") return MakeStatement(ParseMacro(), line);
    if (keyword == "call") return MakeStatement(ParseCall(), line);
    if (keyword == "filter") return MakeStatement(ParseFilterBlock(), line);
    if (keyword == "generation") {
      return MakeStatement(GenerationStatement{ParseEnclosed("endgeneration")}, line);
    }
    if (keyword == "break" || keyword == "continue") {
      if (loop_depth_ == 0) Fail("'" + keyword + "' stands outside of a loop");
      EndBlock();
      if (keyword == "break") return MakeStatement(BreakStatement{}, line);
      return MakeStatement(ContinueStatement{}, line);
    }
    Fail("the statement '" + keyword +
         "' is unknown or not supported; supported: if, for, set, "
         "macro, call, filter, raw, generation, break, continue");
  }

  IfStatement ParseIf() {
    IfStatement statement;
    while (true) {
      ExpressionPtr condition = ParseTuple();
      EndBlock();
      Body body = ParseBodyUntil({"elif", "else", "endif"});
      statement.branches.emplace_back(std::move(condition), std::move(body));
      const std::string end = Take().text;
      if (end == "elif") continue;
      if (end == "else") {
        statement.otherwise = ParseEnclosed("endif");
      } else {
        EndBlock();
      }
      return statement;
    }
  }

  ForStatement ParseFor() {
    ForStatement statement;
    const bool parenthesized = SkipOperator("(");
    do {
      statement.targets.push_back(ExpectName());
    } while (SkipOperator(","));
    if (parenthesized) ExpectOperator(")");
    if (!SkipName("in")) FailExpected("'in'");
    statement.iterable = ParseTuple(/*with_condition=*/false);
    if (SkipName("if")) statement.condition = ParseExpression();
    if (IsName("recursive")) Fail("recursive loops are not supported");
    EndBlock();
    ++loop_depth_;
    statement.body = ParseBodyUntil({"else", "endfor"});
    --loop_depth_;
    if (Take().text == "else") {
      statement.otherwise = ParseEnclosed("endfor");
    } else {
      EndBlock();
    }
    return statement;
  }

  SetTarget ParseSetTarget() {
    SetTarget target{.name = ExpectName(), .attribute = {}};
    if (SkipOperator(".")) target.attribute = ExpectName();
    return target;
  }

  std::unique_ptr<Statement> ParseSet(int line) {
    SetStatement statement;
    do {
      statement.targets.push_back(ParseSetTarget());
    } while (SkipOperator(","));
    if (SkipOperator("=")) {
      statement.value = ParseTuple();
      EndBlock();
      return MakeStatement(std::move(statement), line);
    }
    if (statement.targets.size() > 1) FailExpected("'='");
    SetBlockStatement block{.target = statement.targets[0], .filters = {}, .body = {}};
    while (SkipOperator("|")) block.filters.push_back(ParseFilter());
    block.body = ParseEnclosed("endset");
    return MakeStatement(std::move(block), line);
  }

  // "(a, b=1)"
  void ParseParameters(MacroStatement& macro) {
    ExpectOperator("(");
    while (!SkipOperator(")")) {
      macro.parameters.push_back(ExpectName());
      if (SkipOperator("=")) {
        macro.defaults.push_back(ParseExpression());
      } else if (!macro.defaults.empty()) {
        Fail("a parameter without a default follows one with a default");
      }
      if (!IsOperator(")")) ExpectOperator(",");
    }
  }

  MacroStatement ParseMacro() {
    MacroStatement macro;
    macro.name = ExpectName();
    ParseParameters(macro);
    macro.body = ParseOutsideOfLoops("endmacro");
    return macro;
  }

  CallStatement ParseCall() {
    CallStatement statement;
    statement.caller.name = "caller";
    if (IsOperator("(")) ParseParameters(statement.caller);
    statement.call = ParseExpression();
    const auto* postfix = std::get_if<Postfix>(&statement.call->node);
    if (postfix == nullptr || !std::holds_alternative<Call>(postfix->operations.back())) {
      Fail("a call block needs the call of a macro");
    }
    statement.caller.body = ParseOutsideOfLoops("endcall");
    return statement;
  }

  // A macro's body belongs to no loop around its definition, so it cannot break out of one.
  Body ParseOutsideOfLoops(std::string_view end) {
    const int loop_depth = std::exchange(loop_depth_, 0);
    Body body = ParseEnclosed(end);
    loop_depth_ = loop_depth;
    return body;
  }

  FilterStatement ParseFilterBlock() {
    FilterStatement statement;
    do {
      statement.filters.push_back(ParseFilter());
    } while (SkipOperator("|"));
    statement.body = ParseEnclosed("endfilter");
    return statement;
  }

  std::vector<LexToken> tokens_;
  size_t pos_ = 0;
  int depth_ = 0;
  int loop_depth_ = 0;
};

}  // namespace

Body ParseTemplate(std::string_view source) { return Parser(Lex(source)).ParseAll(); }

}  // namespace hearth::engine::jinja
