#include "engine/text/added_tokens.h"

#include <algorithm>

#include "engine/text/unicode.h"

namespace hearth::engine {
namespace {

// The first code point of the character that ends just before `pos`.
size_t PreviousCharacter(std::string_view text, size_t pos) {
  do {
    --pos;
  } while (pos > 0 && !IsUtf8Start(text[pos]));
  return pos;
}

bool IsWordCharacter(char32_t c) { return IsLetter(c) || IsMark(c) || IsNumber(c) || c == '_'; }

bool TouchesWord(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && IsWordCharacter(DecodeUtf8(text, PreviousCharacter(text, begin)).code_point)) {
    return true;
  }
  return end < text.size() && IsWordCharacter(DecodeUtf8(text, end).code_point);
}

size_t SkipSpaceBackwards(std::string_view text, size_t floor, size_t pos) {
  while (pos > floor) {
    const size_t before = PreviousCharacter(text, pos);
    if (!IsWhiteSpace(DecodeUtf8(text, before).code_point)) break;
    pos = before;
  }
  return pos;
}

size_t SkipSpace(std::string_view text, size_t pos) {
  while (pos < text.size()) {
    const DecodedChar c = DecodeUtf8(text, pos);
    if (!IsWhiteSpace(c.code_point)) break;
    pos += static_cast<size_t>(c.length);
  }
  return pos;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (!tokens_[i].content.empty()) Insert(tokens_[i].content, static_cast<int>(i));
  }
}

void AddedTokenMatcher::Insert(std::string_view content, int token) {
  int node = 0;
  for (const char byte : content) {
    int child = Child(node, byte);
    if (child < 0) {
      child = static_cast<int>(nodes_.size());
      auto& children = nodes_[static_cast<size_t>(node)].children;
      const std::pair<uint8_t, int> edge(static_cast<uint8_t>(byte), child);
      children.insert(std::lower_bound(children.begin(), children.end(), edge), edge);
      nodes_.emplace_back();
    }
    node = child;
  }
  nodes_[static_cast<size_t>(node)].token = token;
}

int AddedTokenMatcher::Child(int node, char byte) const {
  const auto& children = nodes_[static_cast<size_t>(node)].children;
  const auto value = static_cast<uint8_t>(byte);
  const auto it = std::lower_bound(children.begin(), children.end(), std::pair(value, -1));
  return it != children.end() && it->first == value ? it->second : -1;
}

std::vector<AddedTokenMatcher::Match> AddedTokenMatcher::FindAll(std::string_view text,
                                                                 const Allow& allow) const {
  std::vector<Match> matches;
  size_t taken = 0;  // bytes before it belong to earlier matches
  for (size_t pos = 0; pos < text.size(); ++pos) {
    const AddedToken* longest = nullptr;
    size_t end = pos;
    int node = Child(0, text[pos]);
    for (size_t next = pos + 1; node >= 0; ++next) {
      const int token = nodes_[static_cast<size_t>(node)].token;
      if (token >= 0) {
        const AddedToken& candidate = tokens_[static_cast<size_t>(token)];
        const bool fits = !candidate.single_word || !TouchesWord(text, pos, next);
        if (fits && allow(candidate, pos, next)) {
          longest = &candidate;
          end = next;
        }
      }
      if (next == text.size()) break;
      node = Child(node, text[next]);
    }
    if (longest == nullptr) continue;
    const size_t begin = longest->lstrip ? SkipSpaceBackwards(text, taken, pos) : pos;
    taken = longest->rstrip ? SkipSpace(text, end) : end;
    matches.push_back({begin, taken, longest->id});
    pos = taken - 1;
  }
  return matches;
}

}  // namespace hearth::engine
