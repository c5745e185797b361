#include "engine/text/jinja_eval.h"

#include <cmath>

#include "engine/text/jinja_filters.h"
#include "engine/text/jinja_format.h"
#include "engine/text/jinja_methods.h"
#include "engine/text/jinja_operators.h"
#include "engine/text/jinja_text.h"

namespace hearth::engine::jinja {

// Where a name is looked up: a block's own variables, then those around it.
struct Scope {
  Scope* parent = nullptr;
  Variables variables;
};

// A call block while its macro runs: what `caller()` means there.
struct CallSite {
  Scope* scope;  // in which the block stands
};

namespace {

enum class Flow { kNext, kBreak, kContinue };

class Evaluator {
 public:
  explicit Evaluator(Variables variables) : globals_{nullptr, std::move(variables)} {
    scope_ = &globals_;
  }

  Text Run(const Body& body) {
    Scope top{&globals_, {}};
    top_ = &top;
    scope_ = &top;
    ExecuteBody(body);
    return std::move(output_);
  }

 private:
  // ---- scopes and output -----------------------------------------------------------------------

  // Makes `scope` the current one for as long as it lives.
  class ScopeGuard {
   public:
    ScopeGuard(Evaluator& evaluator, Scope* scope)
        : evaluator_(evaluator), outer_(std::exchange(evaluator.scope_, scope)) {}
    ~ScopeGuard() { evaluator_.scope_ = outer_; }
    ScopeGuard(const ScopeGuard&) = delete;
    ScopeGuard& operator=(const ScopeGuard&) = delete;

   private:
    Evaluator& evaluator_;
    Scope* outer_;
  };

  Value Lookup(const std::string& name) const {
    for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
      const auto it = scope->variables.find(name);
      if (it != scope->variables.end()) return it->second;
    }
    if (IsGlobalFunction(name)) return MakeCallable({.name = name, .self = {}});
    return Value::MakeUndefined("'" + name + "' is undefined");
  }

  static Value MakeCallable(Callable callable) {
    return Value(std::make_shared<const Callable>(std::move(callable)));
  }

  void Write(const Text& text) {
    budget_.ChargeBytes(text.size());
    Budget::CheckLength(output_.size() + text.size());
    output_.Append(text);
  }

  // What executing `body` writes.
  Text Capture(const Body& body) {
    Text outer = std::exchange(output_, Text());
    ExecuteBody(body);
    return std::exchange(output_, std::move(outer));
  }

  // ---- statements ------------------------------------------------------------------------------

  Flow ExecuteBody(const Body& body) {
    for (const auto& statement : body) {
      const Flow flow = Execute(*statement);
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Flow Execute(const Statement& statement) {
    budget_.Charge(1);
    const Budget::DepthGuard guard(budget_);
    line_ = statement.line;
    return std::visit([&](const auto& node) { return Do(node); }, statement.node);
  }

  Flow Do(const DataStatement& statement) {
    Write(statement.text);
    return Flow::kNext;
  }

  Flow Do(const OutputStatement& statement) {
    Write(ToText(Evaluate(*statement.expression), budget_));
    return Flow::kNext;
  }

  Flow Do(const IfStatement& statement) {
    for (const auto& [condition, body] : statement.branches) {
      if (Evaluate(*condition).Truth()) return ExecuteBody(body);
    }
    return ExecuteBody(statement.otherwise);
  }

  Flow Do(const ForStatement& statement) {
    auto loop = std::make_shared<Loop>();
    loop->items = LoopItems(statement);
    const size_t count = loop->items.size();
    for (; loop->index0 < count; ++loop->index0) {
      budget_.Charge(1);
      Scope scope{scope_, {}};
      const ScopeGuard guard(*this, &scope);
      Unpack(statement.targets, loop->items[loop->index0]);
      scope.variables.insert_or_assign("loop", Value(loop));
      if (ExecuteBody(statement.body) == Flow::kBreak) break;
    }
    return count == 0 ? ExecuteBody(statement.otherwise) : Flow::kNext;
  }

  std::vector<Value> LoopItems(const ForStatement& statement) {
    std::vector<Value> items = Iterate(Evaluate(*statement.iterable), budget_);
    if (statement.condition == nullptr) return items;
    std::vector<Value> kept;
    for (Value& item : items) {
      Scope scope{scope_, {}};
      const ScopeGuard guard(*this, &scope);
      Unpack(statement.targets, item);
      if (Evaluate(*statement.condition).Truth()) kept.push_back(std::move(item));
    }
    return kept;
  }

  void Unpack(const std::vector<std::string>& names, const Value& value) {
    if (names.size() == 1) {
      scope_->variables.insert_or_assign(names[0], value);
      return;
    }
    const std::vector<Value> parts = UnpackParts(value, names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      scope_->variables.insert_or_assign(names[i], parts[i]);
    }
  }

  std::vector<Value> UnpackParts(const Value& value, size_t count) {
    std::vector<Value> parts = Iterate(value, budget_);
    if (parts.size() != count) {
      throw Error("cannot unpack " + std::to_string(parts.size()) + " values into " +
                  std::to_string(count) + " names");
    }
    return parts;
  }

  Flow Do(const SetStatement& statement) {
    const Value value = Evaluate(*statement.value);
    if (statement.targets.size() == 1) {
      Assign(statement.targets[0], value);
      return Flow::kNext;
    }
    const std::vector<Value> parts = UnpackParts(value, statement.targets.size());
    for (size_t i = 0; i < parts.size(); ++i) Assign(statement.targets[i], parts[i]);
    return Flow::kNext;
  }

  void Assign(const SetTarget& target, const Value& value) {
    if (target.attribute.empty()) {
      scope_->variables.insert_or_assign(target.name, value);
      return;
    }
    Namespace* object = Lookup(target.name).AsNamespace();
    if (object == nullptr) {
      throw Error("cannot set '" + target.name + "." + target.attribute + "': '" + target.name +
                  "' is no namespace");
    }
    object->attributes.Set(target.attribute, value);
  }

  Flow Do(const SetBlockStatement& statement) {
    Assign(statement.target, Value(CaptureInScope(statement.body, statement.filters)));
    return Flow::kNext;
  }

  Flow Do(const FilterStatement& statement) {
    Write(CaptureInScope(statement.body, statement.filters));
    return Flow::kNext;
  }

  Text CaptureInScope(const Body& body, const std::vector<ApplyFilter>& filters) {
    Value text;
    {
      Scope scope{scope_, {}};
      const ScopeGuard guard(*this, &scope);
      text = Value(Capture(body));
    }
    for (const ApplyFilter& filter : filters) text = Apply(filter, text);
    return ToText(text, budget_);
  }

  Flow Do(const MacroStatement& statement) {
    scope_->variables.insert_or_assign(
        statement.name, MakeCallable({.name = statement.name, .self = {}, .macro = &statement}));
    return Flow::kNext;
  }

  Flow Do(const CallStatement& statement) {
    const auto& call = std::get<Postfix>(statement.call->node);
    const CallSite site{scope_};
    Value function = Evaluate(*call.base);
    for (size_t i = 0; i + 1 < call.operations.size(); ++i) {
      function =
          std::visit([&](const auto& op) { return Apply(op, function); }, call.operations[i]);
    }
    CallArguments arguments = EvaluateArguments(std::get<Call>(call.operations.back()).arguments);
    arguments.named.emplace_back(
        "caller",
        MakeCallable({.name = "caller", .self = {}, .macro = &statement.caller, .caller = &site}));
    Write(ToText(CallValue(function, arguments), budget_));
    return Flow::kNext;
  }

  Flow Do(const GenerationStatement& statement) { return ExecuteBody(statement.body); }
  Flow Do(const BreakStatement&) { return Flow::kBreak; }
  Flow Do(const ContinueStatement&) { return Flow::kContinue; }

  // ---- expressions -----------------------------------------------------------------------------

  Value Evaluate(const Expression& expression) {
    budget_.Charge(1);
    const Budget::DepthGuard guard(budget_);
    return std::visit([&](const auto& node) { return Get(node); }, expression.node);
  }

  Value Get(const Literal& literal) { return literal.value; }
  Value Get(const Name& name) { return Lookup(name.name); }

  Value Get(const ListExpression& list) {
    std::vector<Value> items;
    for (const ExpressionPtr& item : list.items) items.push_back(Evaluate(*item));
    return Value::MakeList(std::move(items), list.is_tuple);
  }

  Value Get(const DictExpression& expression) {
    Dict dict;
    for (const auto& [key_expression, value] : expression.entries) {
      const Value key = Evaluate(*key_expression);
      ChargeKey(key, budget_);
      dict.Set(key, Evaluate(*value));
    }
    return Value::MakeDict(std::move(dict));
  }

  Value Get(const Unary& unary) {
    const Value operand = Evaluate(*unary.operand);
    if (unary.op == UnaryOperator::kNot) return Value(!operand.Truth());
    return unary.op == UnaryOperator::kMinus ? Negate(operand) : Plus(operand);
  }

  Value Get(const Arithmetic& arithmetic) {
    Value left = Evaluate(*arithmetic.first);
    for (const auto& [op, operand] : arithmetic.rest) {
      left = Calculate(op, left, Evaluate(*operand), budget_);
    }
    return left;
  }

  Value Get(const Comparison& comparison) {
    Value left = Evaluate(*comparison.first);
    for (const auto& [op, operand] : comparison.rest) {
      Value right = Evaluate(*operand);
      if (!Compare(op, left, right, budget_)) return Value(false);
      left = std::move(right);
    }
    return Value(true);
  }

  Value Get(const Logical& logical) {
    Value value;
    for (const ExpressionPtr& operand : logical.operands) {
      value = Evaluate(*operand);
      if (value.Truth() != logical.is_and) return value;
    }
    return value;
  }

  Value Get(const Conditional& conditional) {
    if (Evaluate(*conditional.condition).Truth()) return Evaluate(*conditional.then);
    if (conditional.otherwise != nullptr) return Evaluate(*conditional.otherwise);
    return Value::MakeUndefined("the inline if-expression is false and has no else");
  }

  Value Get(const Postfix& postfix) {
    Value value = Evaluate(*postfix.base);
    for (const PostfixOperation& operation : postfix.operations) {
      budget_.Charge(1);
      value = std::visit([&](const auto& op) { return Apply(op, value); }, operation);
    }
    return value;
  }

  // ---- what follows a primary expression -------------------------------------------------------

  // x.name: methods go before keys, as in Jinja.
  Value Apply(const GetAttribute& attribute, const Value& value) {
    const std::string& name = attribute.name;
    if (value.IsUndefined()) throw Error(value.UndefinedReason());
    if (HasMethod(value, name)) return MakeCallable({.name = name, .self = value});
    if (const Loop* loop = value.AsLoop()) return LoopAttribute(*loop, name);
    return ItemOrUndefined(value, Value(Text(name)), budget_);
  }

  Value Apply(const GetItem& item, const Value& value) {
    const Value index = Evaluate(*item.index);
    if (value.IsUndefined()) throw Error(value.UndefinedReason());
    Value found = ItemOrUndefined(value, index, budget_);
    if (!found.IsUndefined() || !index.IsString()) return found;
    return Apply(GetAttribute{index.AsText()->bytes()}, value);  // x["items"] is x.items
  }

  Value Apply(const GetSlice& slice, const Value& value) {
    const auto bound = [&](const ExpressionPtr& expression) -> std::optional<int64_t> {
      if (expression == nullptr) return std::nullopt;
      const Value index = Evaluate(*expression);
      if (index.IsNone()) return std::nullopt;
      if (!index.IsInteger()) throw Error("the bounds of a slice must be integers");
      return index.Integer();
    };
    const Slice bounds{bound(slice.start), bound(slice.stop), bound(slice.step)};
    if (value.IsUndefined()) throw Error(value.UndefinedReason());
    return SliceValue(value, bounds, budget_);
  }

  Value Apply(const Call& call, const Value& value) {
    return CallValue(value, EvaluateArguments(call.arguments));
  }

  Value Apply(const ApplyFilter& filter, const Value& value) {
    return CallFilter(filter.name, value, EvaluateArguments(filter.arguments), budget_);
  }

  Value Apply(const ApplyTest& test, const Value& value) {
    const CallArguments arguments = EvaluateArguments(test.arguments);
    return Value(CallTest(test.name, value, arguments, budget_) != test.negated);
  }

  static Value LoopAttribute(const Loop& loop, const std::string& name) {
    const auto count = static_cast<int64_t>(loop.items.size());
    const auto index0 = static_cast<int64_t>(loop.index0);
    if (name == "index0") return Value(index0);
    if (name == "index") return Value(index0 + 1);
    if (name == "revindex0") return Value(count - index0 - 1);
    if (name == "revindex") return Value(count - index0);
    if (name == "first") return Value(index0 == 0);
    if (name == "last") return Value(index0 + 1 == count);
    if (name == "length") return Value(count);
    // Depth counts levels of recursive loops, of which there are none.
    if (name == "depth0") return Value(int64_t{0});
    if (name == "depth") return Value(int64_t{1});
    if (name == "previtem" && loop.index0 > 0) return loop.items[loop.index0 - 1];
    if (name == "nextitem" && index0 + 1 < count) return loop.items[loop.index0 + 1];
    return Value::MakeUndefined("'loop' has no '" + name + "' here");
  }

  CallArguments EvaluateArguments(const Arguments& arguments) {
    CallArguments values;
    for (const ExpressionPtr& argument : arguments.positional) {
      values.positional.push_back(Evaluate(*argument));
    }
    for (const auto& [name, argument] : arguments.named) {
      values.named.emplace_back(name, Evaluate(*argument));
    }
    return values;
  }

  Value CallValue(const Value& function, const CallArguments& arguments) {
    const Callable* callable = function.AsCallable();
    if (callable == nullptr) {
      throw Error(function.IsUndefined() ? function.UndefinedReason()
                                         : "a value of type " + std::string(function.TypeName()) +
                                               " cannot be called");
    }
    budget_.Charge(1);
    if (callable->macro != nullptr) return CallMacro(*callable, arguments);
    if (!callable->self.IsUndefined()) {
      return CallMethod(callable->self, callable->name, arguments, budget_);
    }
    return CallGlobalFunction(callable->name, arguments, budget_);
  }

  // A macro sees its parameters and the template's top level; the body of a call block sees what is
  // around the block.
  Value CallMacro(const Callable& callable, const CallArguments& arguments) {
    const MacroStatement& macro = *callable.macro;
    if (macro_depth_ == limits::kTemplateDepthMax) {
      throw Error("macros call each other deeper than " +
                      std::to_string(limits::kTemplateDepthMax) + " levels",
                  StatusCode::kResourceExhausted);
    }
    Scope scope{callable.caller == nullptr ? top_ : callable.caller->scope, {}};
    {
      const ScopeGuard guard(*this, &scope);
      BindParameters(macro, arguments, scope);
      ++macro_depth_;
      Text text = Capture(macro.body);
      --macro_depth_;
      return Value(std::move(text));
    }
  }

  void BindParameters(const MacroStatement& macro, const CallArguments& arguments, Scope& scope) {
    const size_t count = macro.parameters.size();
    if (arguments.positional.size() > count) {
      throw Error("macro '" + macro.name + "' takes at most " + std::to_string(count) +
                  " arguments, not " + std::to_string(arguments.positional.size()));
    }
    const size_t first_default = count - macro.defaults.size();
    for (size_t i = 0; i < count; ++i) {
      const std::string& name = macro.parameters[i];
      Value value = Value::MakeUndefined("parameter '" + name + "' was not provided");
      if (const Value* given = arguments.Find(i, name)) {
        value = *given;
      } else if (i >= first_default) {
        value = Evaluate(*macro.defaults[i - first_default]);
      }
      scope.variables.insert_or_assign(name, std::move(value));
    }
    for (const auto& [name, value] : arguments.named) {
      const bool known = name == "caller" || scope.variables.contains(name);
      if (!known) throw Error("macro '" + macro.name + "' has no parameter '" + name + "'");
      scope.variables.insert_or_assign(name, value);
    }
  }

 public:
  int line() const { return line_; }

 private:
  Budget budget_;
  Text output_;
  Scope globals_;
  Scope* top_ = nullptr;    // the template's own variables, over the globals
  Scope* scope_ = nullptr;  // the current one
  int macro_depth_ = 0;
  int line_ = 0;  // of the statement that runs, for messages
};

}  // namespace

Value ItemOrUndefined(const Value& value, const Value& key, Budget& budget) {
  ChargeKey(key, budget);
  if (const List* list = value.AsList(); list != nullptr && key.IsInteger()) {
    const auto count = static_cast<int64_t>(list->items.size());
    const int64_t index = key.Integer() < 0 ? key.Integer() + count : key.Integer();
    if (index >= 0 && index < count) return list->items[static_cast<size_t>(index)];
  } else if (const Text* text = value.AsText(); text != nullptr && key.IsInteger()) {
    ChargeWalk(text->size(), budget);
    const std::vector<size_t> offsets = CharacterOffsets(text->bytes());
    const auto count = static_cast<int64_t>(offsets.size()) - 1;
    const int64_t index = key.Integer() < 0 ? key.Integer() + count : key.Integer();
    if (index >= 0 && index < count) {
      const auto at = static_cast<size_t>(index);
      return Value(text->Substr(offsets[at], offsets[at + 1] - offsets[at]));
    }
  } else if (const Dict* dict = value.AsDict()) {
    if (const Value* found = dict->Find(key)) return *found;
  } else if (const Namespace* object = value.AsNamespace()) {
    if (const Value* found = object->attributes.Find(key)) return *found;
  }
  return Value::MakeUndefined("a value of type " + std::string(value.TypeName()) + " has no " +
                              Repr(key, budget).bytes());
}

Text RenderTemplate(const Body& body, Variables variables) {
  Evaluator evaluator(std::move(variables));
  try {
    return evaluator.Run(body);
  } catch (const Error& error) {
    throw Error("chat template, line " + std::to_string(evaluator.line()) + ": " + error.what(),
                error.code());
  }
}

}  // namespace hearth::engine::jinja
