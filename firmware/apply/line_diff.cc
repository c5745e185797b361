#include "firmware/apply/line_diff.h"

#include <algorithm>
#include <optional>

namespace hearth::apply {
namespace {

using Lines = std::vector<std::string_view>;

Lines LinesOf(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// For each number of edits d, how far along the left text each diagonal k = left - right came.
using Trace = std::vector<std::vector<int>>;

int FromLast(const std::vector<int>& last, int k, int d, int offset) {
  const auto at = [&](int diagonal) { return last[static_cast<size_t>(diagonal + offset)]; };
  const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
  return down ? at(k + 1) : at(k - 1) + 1;
}

std::optional<Trace> Search(const Lines& a, const Lines& b) {
  const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size());
  const int edits_max = std::min(n + m, kDiffEditsMax);
  const int offset = edits_max + 1;
  std::vector<int> furthest(static_cast<size_t>(2 * offset + 1), 0);
  Trace trace;
  for (int d = 0; d <= edits_max; ++d) {
    trace.push_back(furthest);
    for (int k = -d; k <= d; k += 2) {
      int x = d == 0 ? 0 : FromLast(trace.back(), k, d, offset);
      int y = x - k;
      while (x < n && y >= 0 && y < m && a[static_cast<size_t>(x)] == b[static_cast<size_t>(y)]) {
        ++x;
        ++y;
      }
      furthest[static_cast<size_t>(k + offset)] = x;
      if (x >= n && y >= m) return trace;
    }
  }
  return std::nullopt;
}

class Script {
 public:
  Script(const Lines& a, const Lines& b) : a_(a), b_(b) {}

  void Both(int x, int y) { lines_.push_back({' ', x + 1, y + 1, Text(a_, x)}); }
  void Left(int x) { lines_.push_back({'-', x + 1, 0, Text(a_, x)}); }
  void Right(int y) { lines_.push_back({'+', 0, y + 1, Text(b_, y)}); }
  std::vector<DiffLine> Take() { return std::move(lines_); }

 private:
  static std::string Text(const Lines& lines, int i) {
    return std::string(lines[static_cast<size_t>(i)]);
  }
  const Lines& a_;
  const Lines& b_;
  std::vector<DiffLine> lines_;
};

std::vector<DiffLine> WalkBack(const Lines& a, const Lines& b, const Trace& trace) {
  Script script(a, b);
  int x = static_cast<int>(a.size()), y = static_cast<int>(b.size());
  const int offset = (static_cast<int>(trace[0].size()) - 1) / 2;
  for (int d = static_cast<int>(trace.size()) - 1; d > 0; --d) {
    const std::vector<int>& last = trace[static_cast<size_t>(d)];
    const int k = x - y;
    const int start = FromLast(last, k, d, offset);
    while (x > start) script.Both(--x, --y);
    const auto at = [&](int diagonal) { return last[static_cast<size_t>(diagonal + offset)]; };
    const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
    if (down) {
      script.Right(--y);
    } else {
      script.Left(--x);
    }
  }
  while (x > 0) script.Both(--x, --y);
  auto lines = script.Take();
  std::reverse(lines.begin(), lines.end());
  return lines;
}

std::vector<DiffLine> Replaced(const Lines& a, const Lines& b) {
  Script script(a, b);
  const size_t shorter = std::min(a.size(), b.size());
  size_t head = 0, tail = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  for (size_t i = 0; i < head; ++i) script.Both(static_cast<int>(i), static_cast<int>(i));
  for (size_t i = head; i < a.size() - tail; ++i) script.Left(static_cast<int>(i));
  for (size_t i = head; i < b.size() - tail; ++i) script.Right(static_cast<int>(i));
  for (size_t i = tail; i > 0; --i) {
    script.Both(static_cast<int>(a.size() - i), static_cast<int>(b.size() - i));
  }
  return script.Take();
}

}  // namespace

std::vector<DiffLine> DiffLines(std::string_view left, std::string_view right) {
  const Lines a = LinesOf(left), b = LinesOf(right);
  const auto trace = Search(a, b);
  return trace ? WalkBack(a, b, *trace) : Replaced(a, b);
}

}  // namespace hearth::apply
