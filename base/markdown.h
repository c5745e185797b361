// Text in Markdown.
#pragma once

#include <string>
#include <string_view>

namespace hearth {

// A sentence as the text of a table's cell.
std::string MarkdownCell(std::string_view text);

}  // namespace hearth
