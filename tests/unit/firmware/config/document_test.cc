#include "firmware/config/document.h"

#include <gtest/gtest.h>

namespace hearth::config {
namespace {

Json JsonOf(std::string_view text) {
  const ParsedDocument parsed = ParseDocument(text);
  EXPECT_TRUE(parsed.document) << (parsed.problems.empty() ? "" : parsed.problems[0].message);
  return parsed.document ? parsed.document->json : Json("unreadable");
}

Problem ProblemOf(std::string_view text) {
  const ParsedDocument parsed = ParseDocument(text);
  EXPECT_FALSE(parsed.document) << parsed.document->json;
  EXPECT_EQ(parsed.problems.size(), 1u);
  return parsed.problems.empty() ? Problem() : parsed.problems[0];
}

TEST(Document, ReadsScalarsByTheCoreSchema) {
  EXPECT_EQ(JsonOf("[1, -7, +3, 0x10, 0o17, 1e9, .5, 1., true, False, ~, null, '1', \"true\"]"),
            Json::parse("[1, -7, 3, 16, 15, 1e9, 0.5, 1.0, true, false, null, null, \"1\", \"true\"]"));
  EXPECT_EQ(JsonOf("[yes, off, 1_000, 0b1, 1.2.3, e9, '', 08]"),
            Json::parse(R"(["yes", "off", "1_000", "0b1", "1.2.3", "e9", "", 8])"));
  EXPECT_EQ(JsonOf(""), Json(nullptr));
}

TEST(Document, ReadsJsonAsItIs) {
  EXPECT_EQ(JsonOf(R"({"a": {"b": [1, {"c": null}]}, "d": "x\ty"})"),
            Json::parse(R"({"a": {"b": [1, {"c": null}]}, "d": "x\ty"})"));
}

TEST(Document, KnowsWhereEachValueStands) {
  const auto parsed = ParseDocument("llm_configs:\n- model_loading_config:\n    model_id: a\n- b\n");
  ASSERT_TRUE(parsed.document);
  const Place place = parsed.document->PlaceOf("llm_configs[0].model_loading_config.model_id");
  EXPECT_EQ(place.line, 3);
  EXPECT_EQ(place.column, 5);
  EXPECT_EQ(parsed.document->PlaceOf("llm_configs[1]").line, 4);
  EXPECT_EQ(parsed.document->PlaceOf("llm_configs[0].model_loading_config.missing").line, 2);
}

TEST(Document, RepeatsWhatAnAliasNames) {
  EXPECT_EQ(JsonOf("a: &x {k: 1}\nb: *x\n"), Json::parse(R"({"a": {"k": 1}, "b": {"k": 1}})"));
}

TEST(Document, RefusesWhatOtherReadersDoQuietly) {
  EXPECT_EQ(ProblemOf("a: 1\nb: 2\na: 3\n").message, "the key 'a' stands twice; remove one of them");
  EXPECT_EQ(ProblemOf("a: 1\nb: 2\na: 3\n").place.line, 3);
  EXPECT_NE(ProblemOf("a: &x {k: 1}\nb:\n  <<: *x\n").message.find("merge keys"), std::string::npos);
  EXPECT_NE(ProblemOf("a: !!python/object x\n").message.find("tag"), std::string::npos);
  EXPECT_NE(ProblemOf("a: 1\n---\nb: 2\n").message.find("a second document begins"), std::string::npos);
  EXPECT_NE(ProblemOf("{[1]: 2}").message.find("key must be a word"), std::string::npos);
}

TEST(Document, BoundsDepthAliasesAndSize) {
  EXPECT_NE(ProblemOf(std::string(40, '[') + std::string(40, ']')).message.find("deeper than 32"),
            std::string::npos);
  EXPECT_FALSE(ParseDocument(std::string(100'000, '[')).document);
  EXPECT_FALSE(ParseDocument(std::string(100'000, '{')).document);
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k > 0 ? ", " : "") + last;
    bomb += "]\n";
  }
  EXPECT_NE(ProblemOf(bomb).message.find("100000 values"), std::string::npos);
  EXPECT_NE(ProblemOf(std::string((1 << 20) + 1, 'a')).message.find("limit is 1048576"),
            std::string::npos);
}

TEST(Document, NamesTheByteThatIsNoUtf8) {
  const Problem problem = ProblemOf("a: 1\nb: \xff\n");
  EXPECT_EQ(problem.place.line, 2);
  EXPECT_EQ(problem.place.column, 4);
  EXPECT_NE(problem.message.find("byte 8"), std::string::npos);
  EXPECT_NE(ProblemOf(std::string_view("a: \0", 4)).message.find("NUL"), std::string::npos);
}

TEST(Document, RefusesQuotesThatYamlCppReadsWrongly) {
  EXPECT_EQ(ProblemOf("a: 1\nb: \"c\nd: 2\n").message, "the quote that begins here is not closed");
  EXPECT_EQ(ProblemOf("a: 1\nb: \"c\nd: 2\n").place.line, 2);
  EXPECT_EQ(ProblemOf("a: 'it''s\n").message, "the quote that begins here is not closed");
  EXPECT_EQ(JsonOf("é: ['it''s', \"a\\\"b\", '', \"\", '''']"),
            Json::parse(R"({"é": ["it's", "a\"b", "", "", "'"]})"));
  EXPECT_NE(ProblemOf(R"(a: "\_")").message.find("an escape"), std::string::npos);
  EXPECT_EQ(JsonOf(R"(a: "\u00e9\n\x41")"), Json::parse(R"({"a": "é\nA"})"));
}

TEST(Document, SaysWhereBrokenTextBreaksAndWhy) {
  const Problem indent = ProblemOf(
      "llm_configs:\n    - model_loading_config:\n        model_id: a\n    accelerator_type: A10G\n");
  EXPECT_EQ(indent.place.line, 4);
  EXPECT_NE(indent.message.find("indentation"), std::string::npos) << indent.message;
  EXPECT_NE(ProblemOf("a:\n\tb: 1\n").message.find("tab"), std::string::npos);
}

}  // namespace
}  // namespace hearth::config
