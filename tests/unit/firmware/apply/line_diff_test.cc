#include "firmware/apply/line_diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace hearth::apply {
namespace {

std::string Show(const std::vector<DiffLine>& lines) {
  std::string text;
  for (const DiffLine& line : lines) text += line.op + line.text + "\n";
  return text;
}

std::string SideOf(const std::vector<DiffLine>& lines, char other) {
  std::string text;
  for (const DiffLine& line : lines) {
    if (line.op != other) text += line.text + "\n";
  }
  return text;
}

TEST(LineDiff, ShowsWhatChangedAmongWhatDidNot) {
  EXPECT_EQ(Show(DiffLines("a\nb\nc\n", "a\nx\nc\nd\n")), " a\n-b\n+x\n c\n+d\n");
}

TEST(LineDiff, IsEmptyForNoTextAndWholeForOneSide) {
  EXPECT_TRUE(DiffLines("", "").empty());
  EXPECT_EQ(Show(DiffLines("", "a\nb")), "+a\n+b\n");
  EXPECT_EQ(Show(DiffLines("a\nb", "")), "-a\n-b\n");
}

TEST(LineDiff, NumbersTheLinesOfBothSides) {
  const auto lines = DiffLines("a\nb\n", "b\nc\n");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].left, 1);
  EXPECT_EQ(lines[0].right, 0);
  EXPECT_EQ(lines[1].left, 2);
  EXPECT_EQ(lines[1].right, 1);
  EXPECT_EQ(lines[2].left, 0);
  EXPECT_EQ(lines[2].right, 2);
}

// The length of the longest common subsequence, by the table everybody knows.
size_t Common(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<std::vector<size_t>> best(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      best[i][j] = a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1
                                        : std::max(best[i - 1][j], best[i][j - 1]);
    }
  }
  return best[a.size()][b.size()];
}

TEST(LineDiff, HoldsBothTextsAndIsTheShortestOfAThousandRandomPairs) {
  std::mt19937 random(20261123);
  for (int round = 0; round < 1000; ++round) {
    std::vector<int> sides[2];
    std::string texts[2];
    for (int side = 0; side < 2; ++side) {
      const size_t size = random() % 12;
      for (size_t i = 0; i < size; ++i) sides[side].push_back(static_cast<int>(random() % 4));
      for (const int line : sides[side]) texts[side] += std::to_string(line) + "\n";
    }
    const auto lines = DiffLines(texts[0], texts[1]);
    ASSERT_EQ(SideOf(lines, '+'), texts[0]) << round;
    ASSERT_EQ(SideOf(lines, '-'), texts[1]) << round;
    const auto shared = static_cast<size_t>(std::count_if(
        lines.begin(), lines.end(), [](const DiffLine& line) { return line.op == ' '; }));
    ASSERT_EQ(shared, Common(sides[0], sides[1])) << round << "\n" << Show(lines);
  }
}

TEST(LineDiff, StaysBoundedForTextsThatShareLittle) {
  std::string left = "head\n", right = "head\n";
  for (int i = 0; i < 3 * kDiffEditsMax; ++i) {
    left += "l" + std::to_string(i) + "\n";
    right += "r" + std::to_string(i) + "\n";
  }
  left += "tail\n";
  right += "tail\n";
  const auto lines = DiffLines(left, right);
  EXPECT_EQ(SideOf(lines, '+'), left);
  EXPECT_EQ(SideOf(lines, '-'), right);
  EXPECT_EQ(lines.front().op, ' ');
  EXPECT_EQ(lines.back().op, ' ');
}

}  // namespace
}  // namespace hearth::apply
