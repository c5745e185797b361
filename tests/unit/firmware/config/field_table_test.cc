#include "firmware/config/field_table.h"

#include <gtest/gtest.h>

namespace hearth::config {
namespace {

struct Inner {
  double delay_s = 30;
  void VisitFields(FieldVisitor& v) {
    v.Value(Field("delay_s").Above(0).Unit("s").Help("how long"), &delay_s);
  }
};

struct Outer {
  std::string name;
  int count = 64;
  std::string dtype = "auto";
  std::optional<bool> flag;
  Inner inner;
  bool has_inner = false;

  void VisitFields(FieldVisitor& v) {
    v.Value(Field("name").Required().Help("what it is called"), &name);
    v.Value(Field("count").Range(1, 1024).Live().Help("how many"), &count);
    v.Value(Field("dtype").Choices({"auto", "bfloat16"}).Help("how kept"), &dtype);
    v.Value(Field("flag").Help("whether"), &flag);
    v.Object(Field("inner").Help("what is inside"), [&](FieldVisitor& w) { inner.VisitFields(w); },
             &has_inner);
    v.Unused(Field("old").Inert("nothing reads it").Help("of former times"));
    v.Unused(Field("bad").Refused("this box has one GPU; use 1").Help("of other boxes"));
  }
};

struct Read {
  Outer outer;
  std::vector<Problem> problems;
};

Read ReadOuter(std::string_view text) {
  Read read;
  const auto parsed = ParseDocument(text);
  EXPECT_TRUE(parsed.document);
  ReadFields(*parsed.document, parsed.document->json, "",
             [&](FieldVisitor& v) { read.outer.VisitFields(v); }, read.problems);
  return read;
}

TEST(FieldTable, ReadsWhatIsRight) {
  const Read read = ReadOuter("name: a\ncount: 7.0\ndtype: bfloat16\nflag: false\ninner: {delay_s: 1}\n");
  EXPECT_TRUE(read.problems.empty());
  EXPECT_EQ(read.outer.count, 7);
  EXPECT_EQ(read.outer.flag, false);
  EXPECT_TRUE(read.outer.has_inner);
  EXPECT_EQ(read.outer.inner.delay_s, 1);
}

TEST(FieldTable, ReportsEverythingAtOnce) {
  const Read read = ReadOuter(
      "count: 0\ndtype: bfloat61\nflag: off\ninner:\n  delay: 3\n  delay_s: 0\nold: 1\nbad: 2\nnam: x\n");
  std::vector<std::string> paths;
  for (const Problem& problem : read.problems) {
    paths.push_back(problem.path);
    EXPECT_NE(problem.message.find(problem.path), std::string::npos) << problem.message;
    EXPECT_GT(problem.place.line, 0) << problem.path;
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"name", "count", "dtype", "flag", "inner.delay_s",
                                             "inner.delay", "old", "bad", "nam"}));
  EXPECT_EQ(read.problems[1].message, "count must be an integer from 1 to 1024, not 0");
  EXPECT_EQ(read.problems[2].nearest, "bfloat16");
  EXPECT_EQ(read.problems[3].message, "flag must be true or false, not \"off\"");
  EXPECT_EQ(read.problems[4].message, "inner.delay_s must be a number above 0 (s), not 0");
  EXPECT_EQ(read.problems[5].nearest, "delay_s");
  EXPECT_EQ(read.problems[6].severity, Severity::kWarning);
  EXPECT_EQ(read.problems[7].message, "bad is not taken: this box has one GPU; use 1");
  EXPECT_EQ(read.problems[8].nearest, "name");
  EXPECT_EQ(read.problems[8].place.line, 9);
}

TEST(FieldTable, BoundsIntegersByTheirMember) {
  struct Small {
    int any = 0;
  } small;
  std::vector<Problem> problems;
  const auto parsed = ParseDocument("any: 3000000000\n");
  ReadFields(*parsed.document, parsed.document->json, "",
             [&](FieldVisitor& v) { v.Value(Field("any"), &small.any); }, problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message, "any must be an integer from -2147483647 to 2147483647, not 3000000000");
}

TEST(FieldTable, MakesTheSchemaOfTheSameFields) {
  Outer outer;
  const Json schema = FieldsSchema([&](FieldVisitor& v) { outer.VisitFields(v); });
  ASSERT_EQ(schema.size(), 7u);
  EXPECT_EQ(schema[1]["default"], 64);
  EXPECT_EQ(schema[1]["max"], 1024);
  EXPECT_EQ(schema[1]["live"], true);
  EXPECT_EQ(schema[2]["choices"], Json::parse(R"(["auto", "bfloat16"])"));
  EXPECT_EQ(schema[4]["fields"][0]["name"], "delay_s");
  EXPECT_EQ(schema[6]["effect"], "refused");
}

TEST(FieldTable, WritesWhatDiffersFromTheDefaults) {
  Outer outer, defaults;
  outer.name = "a";
  outer.flag = true;
  outer.has_inner = true;
  const auto write = [&] {
    return WriteFields([&](FieldVisitor& v) { outer.VisitFields(v); },
                       [&](FieldVisitor& v) { defaults.VisitFields(v); });
  };
  EXPECT_EQ(write(), Json::parse(R"({"name": "a", "flag": true, "inner": {"delay_s": 30.0}})"));
  outer.has_inner = false;
  EXPECT_EQ(write(), Json::parse(R"({"name": "a", "flag": true})"));
}

TEST(FieldTable, NearestIsNothingWhenNothingIsNear) {
  EXPECT_EQ(Nearest("max_model_length", {"max_model_len", "max_num_seqs"}), "max_model_len");
  EXPECT_EQ(Nearest("banana", {"max_model_len", "max_num_seqs"}), "");
}

}  // namespace
}  // namespace hearth::config
