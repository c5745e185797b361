#include "storage/promql/tree_json.h"

#include <string>

#include "storage/promql/float_format.h"
#include "storage/promql/functions.h"

namespace hearth::promql {

namespace {

std::string_view CardName(Matching::Card card) {
  switch (card) {
    case Matching::Card::kOneToOne: return "one-to-one";
    case Matching::Card::kManyToOne: return "many-to-one";
    case Matching::Card::kOneToMany: return "one-to-many";
    case Matching::Card::kManyToMany: return "many-to-many";
  }
  return "";
}

void AddShift(const TimeShift& shift, Json& json) {
  json["offset"] = shift.offset_ms;
  json["timestamp"] = shift.at_ms ? Json(*shift.at_ms) : Json();
  switch (shift.at_edge) {
    case TimeShift::Edge::kNone: json["startOrEnd"] = nullptr; break;
    case TimeShift::Edge::kStart: json["startOrEnd"] = "start"; break;
    case TimeShift::Edge::kEnd: json["startOrEnd"] = "end"; break;
  }
}

Json MatchersJson(const std::vector<Matcher>& matchers) {
  Json list = Json::array();
  for (const Matcher& matcher : matchers) {
    list.push_back({{"name", matcher.name}, {"value", matcher.value}, {"type", Name(matcher.op)}});
  }
  return list;
}

struct Node {
  Json operator()(const NumberLiteral& literal) const {
    return {{"type", "numberLiteral"}, {"val", FloatText(literal.value)}};
  }
  Json operator()(const StringLiteral& literal) const {
    return {{"type", "stringLiteral"}, {"val", literal.value}};
  }
  Json operator()(const Selector& selector) const {
    Json json = {{"type", selector.range_ms == 0 ? "vectorSelector" : "matrixSelector"},
                 {"name", selector.name},
                 {"matchers", MatchersJson(selector.matchers)}};
    if (selector.range_ms != 0) json["range"] = selector.range_ms;
    AddShift(selector.shift, json);
    return json;
  }
  Json operator()(const Subquery& subquery) const {
    Json json = {{"type", "subquery"},
                 {"expr", TreeJson(*subquery.expr)},
                 {"range", subquery.range_ms},
                 {"step", subquery.step_ms}};
    AddShift(subquery.shift, json);
    return json;
  }
  Json operator()(const Call& call) const {
    Json types = Json::array();
    for (const ValueType type : call.function->args) types.push_back(ApiName(type));
    Json args = Json::array();
    for (const ExprPtr& arg : call.args) args.push_back(TreeJson(*arg));
    return {{"type", "call"},
            {"func",
             {{"name", call.function->name},
              {"argTypes", std::move(types)},
              {"variadic", call.function->variadic},
              {"returnType", ApiName(call.function->returns)}}},
            {"args", std::move(args)}};
  }
  Json operator()(const Aggregate& aggregate) const {
    return {{"type", "aggregation"},
            {"op", Name(aggregate.op)},
            {"expr", TreeJson(*aggregate.expr)},
            {"param", aggregate.parameter ? TreeJson(*aggregate.parameter) : Json()},
            {"grouping", aggregate.grouping},
            {"without", aggregate.without}};
  }
  Json operator()(const Binary& binary) const {
    Json json = {{"type", "binaryExpr"},
                 {"op", Name(binary.op)},
                 {"lhs", TreeJson(*binary.lhs)},
                 {"rhs", TreeJson(*binary.rhs)},
                 {"matching", nullptr},
                 {"bool", binary.return_bool}};
    const bool vectors =
        binary.lhs->type() == ValueType::kVector && binary.rhs->type() == ValueType::kVector;
    if (vectors) {
      json["matching"] = {{"card", CardName(binary.matching.card)},
                          {"labels", binary.matching.labels},
                          {"on", binary.matching.on},
                          {"include", binary.matching.include}};
    }
    return json;
  }
  Json operator()(const Unary& unary) const {
    return {{"type", "unaryExpr"}, {"op", unary.minus ? "-" : "+"}, {"expr", TreeJson(*unary.expr)}};
  }
  Json operator()(const Paren& paren) const {
    return {{"type", "parenExpr"}, {"expr", TreeJson(*paren.expr)}};
  }
};

}  // namespace

Json TreeJson(const Expr& expr) { return std::visit(Node{}, expr.node); }

}  // namespace hearth::promql
