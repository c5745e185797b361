// Python's string operations on marked text. Each keeps the marks of what it passes on.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/text/jinja_value.h"

namespace hearth::engine::jinja {

// Looking at a text character by character costs far more than copying it: about one step of
// evaluation for 8 bytes.
inline void ChargeWalk(size_t bytes, Budget& budget) {
  budget.Charge(static_cast<int64_t>(bytes / 8));
}

enum class StripSide { kLeft, kRight, kBoth };

// Strips any of `characters`; null: white space.
Text Strip(const Text& text, StripSide side, const Text* characters, Budget& budget);

// str.split: at every `separator` (not empty); null: at runs of white space. At most `limit` cuts;
// -1 = all.
std::vector<Value> Split(const Text& text, const Text* separator, int64_t limit, Budget& budget);

// str.rsplit with a separator: the cuts are made from the end.
std::vector<Value> SplitFromRight(const Text& text, const Text& separator, int64_t limit,
                                  Budget& budget);

std::vector<Value> SplitLines(const Text& text, bool keep_ends, Budget& budget);

// At most `limit` replacements; -1 = all.
Text Replace(const Text& text, const Text& from, const Text& to, int64_t limit, Budget& budget);

Text Upper(const Text& text, Budget& budget);
Text Lower(const Text& text, Budget& budget);
Text Capitalize(const Text& text, Budget& budget);  // first character upper, the rest lower
Text Title(const Text& text, Budget& budget);       // as Jinja's filter: after space, -, (, {, [, <

// Jinja's indent: spaces before every line but (unless `first`) the first and (unless `blank`)
// empty ones.
Text Indent(const Text& text, const Text& indention, bool first, bool blank, Budget& budget);

// Byte position of `part` at or after `from`, or npos. Linear time whatever the two texts are.
size_t FindText(std::string_view text, std::string_view part, size_t from, Budget& budget);

// text[start:stop:step] and list[start:stop:step]; kInvalidArgument for step 0.
struct Slice {
  std::optional<int64_t> start, stop, step;
};
Value SliceValue(const Value& value, const Slice& slice, Budget& budget);

}  // namespace hearth::engine::jinja
