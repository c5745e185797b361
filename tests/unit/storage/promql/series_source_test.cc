#include "storage/promql/series_source.h"

#include <gtest/gtest.h>

namespace hearth::promql {
namespace {

using Pairs = std::vector<Labels::Pair>;

TEST(Labels, SortsAndDropsEmptyValues) {
  const Labels labels(Pairs{{"b", "2"}, {"a", "1"}, {"c", ""}});
  EXPECT_EQ(labels.pairs(), (Pairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(labels.Get("b"), "2");
  EXPECT_EQ(labels.Get("c"), "");
}

TEST(Labels, SetInsertsReplacesAndRemoves) {
  Labels labels(Pairs{{"b", "2"}});
  labels.Set("a", "1");
  labels.Set("b", "3");
  EXPECT_EQ(labels.pairs(), (Pairs{{"a", "1"}, {"b", "3"}}));
  labels.Set("a", "");
  EXPECT_EQ(labels.pairs(), (Pairs{{"b", "3"}}));
}

bool Matches(Matcher::Op op, const std::string& pattern, const std::string& value) {
  return Matcher::Make("name", op, pattern).value().Matches(value);
}

TEST(Matcher, ComparesWholeValues) {
  EXPECT_TRUE(Matches(Matcher::Op::kEqual, "a", "a"));
  EXPECT_FALSE(Matches(Matcher::Op::kEqual, "a", "ab"));
  EXPECT_TRUE(Matches(Matcher::Op::kNotEqual, "a", ""));
}

TEST(Matcher, AnchorsRegexesAtBothEnds) {
  EXPECT_TRUE(Matches(Matcher::Op::kRegex, "a|bc", "bc"));
  EXPECT_FALSE(Matches(Matcher::Op::kRegex, "a|bc", "abc"));
  EXPECT_TRUE(Matches(Matcher::Op::kRegex, "a.c", "a\nc"));
  EXPECT_TRUE(Matches(Matcher::Op::kRegex, "", ""));
  EXPECT_TRUE(Matches(Matcher::Op::kNotRegex, "b.*", "ab"));
}

TEST(Matcher, RefusesBrokenRegexesInGosWords) {
  const auto matcher = Matcher::Make("name", Matcher::Op::kRegex, "(a");
  ASSERT_FALSE(matcher.ok());
  EXPECT_EQ(matcher.status().message(), "error parsing regexp: missing closing ): `(a`");
}

}  // namespace
}  // namespace hearth::promql
