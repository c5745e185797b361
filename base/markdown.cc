#include "base/markdown.h"

namespace hearth {

std::string MarkdownCell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|' || c == '*' || c == '<') cell += '\\';
    cell += c;
  }
  return cell;
}

}  // namespace hearth
