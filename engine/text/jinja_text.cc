#include "engine/text/jinja_text.h"

#include <string.h>

#include <algorithm>

#include "engine/text/unicode.h"

namespace hearth::engine::jinja {
namespace {

// Maps each character; a mapped character is input where the original was.
template <typename Map>
Text MapCharacters(const Text& text, Budget& budget, const Map& map) {
  ChargeWalk(text.size(), budget);
  Text out;
  std::string mapped;
  for (size_t pos = 0; pos < text.size();) {
    const DecodedChar c = DecodeUtf8(text.bytes(), pos);
    mapped.clear();
    AppendUtf8(mapped, map(c.code_point));
    out.Append(mapped, text.IsInput(pos));
    pos += static_cast<size_t>(c.length);
  }
  return out;
}

size_t PreviousStart(std::string_view text, size_t pos) {
  do {
    --pos;
  } while (pos > 0 && !IsUtf8Start(text[pos]));
  return pos;
}

bool IsLineBreak(char c) { return c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

// Cuts text at white space. The rest after `limit` cuts is one piece, its leading space removed.
std::vector<Value> SplitAtSpace(const Text& text, int64_t limit) {
  std::vector<Value> parts;
  const std::string_view bytes = text.bytes();
  const auto space_at = [&](size_t pos) {
    const DecodedChar c = DecodeUtf8(bytes, pos);
    return IsPythonSpace(c.code_point) ? static_cast<size_t>(c.length) : size_t{0};
  };
  size_t pos = 0;
  while (true) {
    while (pos < bytes.size() && space_at(pos) > 0) pos += space_at(pos);
    if (pos == bytes.size()) return parts;
    if (limit >= 0 && static_cast<int64_t>(parts.size()) == limit) {
      parts.push_back(Value(text.Substr(pos)));
      return parts;
    }
    size_t end = pos;
    while (end < bytes.size() && space_at(end) == 0) {
      end += static_cast<size_t>(DecodeUtf8(bytes, end).length);
    }
    parts.push_back(Value(text.Substr(pos, end - pos)));
    pos = end;
  }
}

// Python's rules: negative counts from the end, and what is outside is moved to the border.
std::vector<size_t> SliceIndexes(const Slice& slice, size_t size) {
  const auto length = static_cast<int64_t>(size);
  const int64_t step = slice.step.value_or(1);
  if (step == 0) throw Error("a slice step cannot be zero");
  const int64_t low = step > 0 ? 0 : -1;
  const int64_t high = step > 0 ? length : length - 1;
  const auto bound = [&](const std::optional<int64_t>& value, int64_t absent) {
    if (!value) return absent;
    return std::clamp(*value < 0 ? *value + length : *value, low, high);
  };
  const int64_t start = bound(slice.start, step > 0 ? low : high);
  const int64_t stop = bound(slice.stop, step > 0 ? high : low);
  std::vector<size_t> indexes;
  // The step is bounded so that adding it cannot overflow.
  const int64_t bounded_step = std::clamp(step, -length - 1, length + 1);
  for (int64_t i = start; step > 0 ? i < stop : i > stop; i += bounded_step) {
    indexes.push_back(static_cast<size_t>(i));
  }
  return indexes;
}

Value SliceText(const Text& text, const Slice& slice) {
  const std::vector<size_t> offsets = CharacterOffsets(text.bytes());
  const std::vector<size_t> indexes = SliceIndexes(slice, offsets.size() - 1);
  if (indexes.empty()) return Value(Text());
  if (slice.step.value_or(1) == 1) {
    const size_t begin = offsets[indexes.front()];
    return Value(text.Substr(begin, offsets[indexes.back() + 1] - begin));
  }
  Text out;
  for (const size_t i : indexes) out.Append(text.Substr(offsets[i], offsets[i + 1] - offsets[i]));
  return Value(std::move(out));
}

}  // namespace

Text Strip(const Text& text, StripSide side, const Text* characters, Budget& budget) {
  budget.ChargeBytes(text.size());
  const std::string_view bytes = text.bytes();
  const auto strips = [&](size_t pos) {
    const DecodedChar c = DecodeUtf8(bytes, pos);
    if (characters == nullptr) return IsPythonSpace(c.code_point);
    const auto length = static_cast<size_t>(c.length);
    return characters->bytes().find(bytes.substr(pos, length)) != std::string::npos;
  };
  size_t begin = 0;
  size_t end = bytes.size();
  if (side != StripSide::kRight) {
    while (begin < end && strips(begin)) {
      begin += static_cast<size_t>(DecodeUtf8(bytes, begin).length);
      budget.Charge(begin % 8 == 0 ? 1 : 0);
    }
  }
  if (side != StripSide::kLeft) {
    while (end > begin && strips(PreviousStart(bytes, end))) {
      end = PreviousStart(bytes, end);
      budget.Charge(end % 8 == 0 ? 1 : 0);
    }
  }
  return text.Substr(begin, end - begin);
}

std::vector<Value> Split(const Text& text, const Text* separator, int64_t limit, Budget& budget) {
  budget.ChargeBytes(text.size());
  if (separator == nullptr) {
    ChargeWalk(text.size(), budget);
    std::vector<Value> parts = SplitAtSpace(text, limit);
    budget.Charge(static_cast<int64_t>(parts.size()));
    return parts;
  }
  if (separator->empty()) throw Error("split: the separator is empty");
  std::vector<Value> parts;
  size_t begin = 0;
  while (limit < 0 || static_cast<int64_t>(parts.size()) < limit) {
    const size_t end = FindText(text.bytes(), separator->bytes(), begin, budget);
    if (end == std::string::npos) break;
    budget.Charge(1);
    parts.push_back(Value(text.Substr(begin, end - begin)));
    begin = end + separator->size();
  }
  parts.push_back(Value(text.Substr(begin)));
  return parts;
}

std::vector<Value> SplitFromRight(const Text& text, const Text& separator, int64_t limit,
                                  Budget& budget) {
  std::vector<Value> parts = Split(text, &separator, -1, budget);
  if (limit < 0 || static_cast<int64_t>(parts.size()) <= limit + 1) return parts;
  const size_t joined = parts.size() - static_cast<size_t>(limit);
  Text first;
  for (size_t i = 0; i < joined; ++i) {
    if (i > 0) first.Append(separator);
    first.Append(*parts[i].AsText());
  }
  parts.erase(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(joined) - 1);
  parts[0] = Value(std::move(first));
  return parts;
}

std::vector<Value> SplitLines(const Text& text, bool keep_ends, Budget& budget) {
  budget.ChargeBytes(text.size());
  const std::string& bytes = text.bytes();
  std::vector<Value> lines;
  for (size_t begin = 0; begin < bytes.size();) {
    size_t end = begin;
    while (end < bytes.size() && !IsLineBreak(bytes[end])) ++end;
    size_t next = std::min(end + 1, bytes.size());
    if (next < bytes.size() && bytes[end] == '\r' && bytes[next] == '\n') ++next;
    budget.Charge(1);
    lines.push_back(Value(text.Substr(begin, (keep_ends ? next : end) - begin)));
    begin = next;
  }
  return lines;
}

Text Replace(const Text& text, const Text& from, const Text& to, int64_t limit, Budget& budget) {
  budget.ChargeBytes(text.size());
  Text out;
  size_t begin = 0;
  for (int64_t count = 0; limit < 0 || count < limit; ++count) {
    // An empty `from` matches before every character and at the end, as in Python.
    size_t end = begin;
    if (from.empty()) {
      if (count > 0) {
        if (begin == text.size()) break;
        end = begin + static_cast<size_t>(DecodeUtf8(text.bytes(), begin).length);
      }
    } else {
      end = FindText(text.bytes(), from.bytes(), begin, budget);
      if (end == std::string::npos) break;
    }
    budget.Charge(1);
    budget.ChargeBytes(to.size());
    Budget::CheckLength(out.size() + to.size() + text.size() - begin);
    out.Append(text.Substr(begin, end - begin));
    out.Append(to);
    begin = end + from.size();
  }
  out.Append(text.Substr(begin));
  return out;
}

Text Upper(const Text& text, Budget& budget) { return MapCharacters(text, budget, ToUpper); }
Text Lower(const Text& text, Budget& budget) { return MapCharacters(text, budget, ToLower); }

Text Capitalize(const Text& text, Budget& budget) {
  bool first = true;
  return MapCharacters(text, budget, [&](char32_t c) {
    return std::exchange(first, false) ? ToUpper(c) : ToLower(c);
  });
}

Text Title(const Text& text, Budget& budget) {
  bool starts_word = true;
  return MapCharacters(text, budget, [&](char32_t c) {
    const char32_t mapped = starts_word ? ToUpper(c) : ToLower(c);
    starts_word = IsPythonSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
    return mapped;
  });
}

Text Indent(const Text& text, const Text& indention, bool first, bool blank, Budget& budget) {
  Text out;
  bool is_first = true;
  for (const Value& line : SplitLines(text, /*keep_ends=*/true, budget)) {
    const Text& line_text = *line.AsText();
    const bool is_blank = IsLineBreak(line_text.bytes().front());
    if (is_first ? first : (blank || !is_blank)) out.Append(indention);
    budget.ChargeBytes(indention.size());
    Budget::CheckLength(out.size() + line_text.size());
    out.Append(line_text);
    is_first = false;
  }
  return out;
}

size_t FindText(std::string_view text, std::string_view part, size_t from, Budget& budget) {
  if (from > text.size()) return std::string::npos;
  if (part.empty()) return from;
  // glibc's memmem is linear; std::string::find is not.
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  const size_t pos = found == nullptr
                         ? std::string::npos
                         : static_cast<size_t>(static_cast<const char*>(found) - text.data());
  // A step for 32 bytes: what it takes when the text is all near misses.
  budget.Charge(static_cast<int64_t>((std::min(pos, text.size()) - from + part.size()) / 32));
  return pos;
}

Value SliceValue(const Value& value, const Slice& slice, Budget& budget) {
  if (const Text* text = value.AsText()) {
    ChargeWalk(text->size(), budget);
    return SliceText(*text, slice);
  }
  const List* list = value.AsList();
  if (list == nullptr) {
    throw Error("a value of type " + std::string(value.TypeName()) + " cannot be sliced");
  }
  std::vector<Value> items;
  for (const size_t i : SliceIndexes(slice, list->items.size())) items.push_back(list->items[i]);
  budget.Charge(static_cast<int64_t>(items.size()));
  return Value::MakeList(std::move(items), list->is_tuple);
}

}  // namespace hearth::engine::jinja
