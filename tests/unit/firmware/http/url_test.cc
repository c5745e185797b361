#include "firmware/http/url.h"

#include <gtest/gtest.h>

namespace hearth::http {
namespace {

TEST(PercentDecode, DecodesBytesAndRefusesBrokenEscapes) {
  EXPECT_EQ(PercentDecode("a%20b%2Fc+d"), "a b/c+d");
  EXPECT_EQ(PercentDecode("a+b", /*plus_is_space=*/true), "a b");
  EXPECT_EQ(PercentDecode("%ff%00"), std::string("\xff\0", 2));
  for (const char* broken : {"%", "%a", "a%", "%g0", "%0g", "%-1"}) {
    EXPECT_EQ(PercentDecode(broken), std::nullopt) << broken;
  }
}

TEST(ParseForm, KeepsOrderAndRepeats) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(ParseForm("match[]=up&match%5B%5D=a%3D1&x&=v&&bad=%"),
            (Pairs{{"match[]", "up"}, {"match[]", "a=1"}, {"x", ""}, {"", "v"}}));
  EXPECT_TRUE(ParseForm("").empty());
}

}  // namespace
}  // namespace hearth::http
