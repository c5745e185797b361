#include "base/fields.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

struct Inner {
  int count = 3;
  template <typename V>
  void VisitFields(V& v) {
    v("count", count);
  }
};

struct Outer {
  std::string name;
  std::optional<double> ratio;
  std::vector<Inner> inners;
  template <typename V>
  void VisitFields(V& v) {
    v("name", name);
    v("ratio", ratio);
    v("inners", inners);
  }
};

TEST(Fields, RoundTripEveryKindOfMember) {
  const Outer outer{"a", 0.5, {{1}, {2}}};
  const auto copy = FromJson<Outer>(ToJson(outer));
  ASSERT_TRUE(copy.ok()) << copy.status().ToString();
  EXPECT_EQ(copy->name, "a");
  EXPECT_EQ(copy->ratio, 0.5);
  ASSERT_EQ(copy->inners.size(), 2u);
  EXPECT_EQ(copy->inners[1].count, 2);
}

TEST(Fields, KeepDefaultsForAbsentKeys) {
  const auto value = FromJson<Inner>(*ParseJson("{}"));
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(value->count, 3);
}

TEST(Fields, NameThePathOfAWrongType) {
  const auto value = FromJson<Outer>(*ParseJson(R"({"inners":[{"count":1},{"count":"x"}]})"));
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.status().message(), "field 'inners[1].count' must be an integer, not string");
}

}  // namespace
}  // namespace hearth
