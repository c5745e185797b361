// What differs between two texts, line by line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth::apply {

struct DiffLine {
  char op = ' ';  // ' ' in both, '-' only left, '+' only right
  int left = 0;   // number of the line, from 1; 0 where it is not
  int right = 0;
  std::string text;
};

// The shortest such list (Myers, "An O(ND) Difference Algorithm", 1986), or for texts that differ
// in more than kDiffEditsMax lines: what they share at both ends, and the rest as replaced.
std::vector<DiffLine> DiffLines(std::string_view left, std::string_view right);

inline constexpr int kDiffEditsMax = 2000;

}  // namespace hearth::apply
