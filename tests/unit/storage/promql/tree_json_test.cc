#include "storage/promql/tree_json.h"

#include <gtest/gtest.h>

#include "storage/promql/parser.h"

namespace hearth::promql {
namespace {

Json Tree(const char* query) { return TreeJson(**Parse(query)); }

TEST(TreeJson, NamesEveryPartOfACall) {
  EXPECT_EQ(Tree("rate(x{a!=\"b\"}[5m] offset 1m)"), *ParseJson(R"({
      "type": "call",
      "func": {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"},
      "args": [{"type": "matrixSelector", "name": "x",
                "matchers": [{"name": "a", "value": "b", "type": "!="},
                             {"name": "__name__", "value": "x", "type": "="}],
                "range": 300000, "offset": 60000, "timestamp": null, "startOrEnd": null}]})"));
}

TEST(TreeJson, GivesMatchingBetweenVectorsOnly) {
  const Json join = Tree("a * on (x) group_left (y) b");
  EXPECT_EQ(join["matching"], *ParseJson(R"({"card": "many-to-one", "labels": ["x"], "on": true,
                                             "include": ["y"]})"));
  EXPECT_EQ(Tree("1 + 2")["matching"], Json());
  EXPECT_EQ(Tree("a > bool 2")["bool"], true);
}

TEST(TreeJson, GivesParametersGroupingsAndSubqueries) {
  const Json tree = Tree("topk by (z) (3, -(max_over_time(a[1h:5m] @ end())))");
  EXPECT_EQ(tree["type"], "aggregation");
  EXPECT_EQ(tree["param"], *ParseJson(R"({"type": "numberLiteral", "val": "3"})"));
  EXPECT_EQ(tree["grouping"], *ParseJson(R"(["z"])"));
  const Json& unary = tree["expr"];
  EXPECT_EQ(unary["op"], "-");
  const Json& subquery = unary["expr"]["expr"]["args"][0];
  EXPECT_EQ(subquery["step"], 300000);
  EXPECT_EQ(subquery["startOrEnd"], "end");
  EXPECT_EQ(Tree("\"text\""), *ParseJson(R"({"type": "stringLiteral", "val": "text"})"));
}

}  // namespace
}  // namespace hearth::promql
