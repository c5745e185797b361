#include "firmware/cli/line_editor.h"

#include <wchar.h>

#include <algorithm>

#include "base/limits.h"

namespace hearth::cli {
namespace {

constexpr char kEscape = '\033';

bool Continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// Of a UTF-8 character, by its first byte.
size_t BytesOf(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}

// Columns that a character takes: two for a Chinese one, none for a combining accent.
size_t WidthOf(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return 1;
  wchar_t code = first & (0xff >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) {
    code = (code << 6) | (static_cast<unsigned char>(character[i]) & 0x3f);
  }
  return static_cast<size_t>(std::max(0, ::wcwidth(code)));
}

// "\033[" and parameters until a letter or '~'; or "\033O" and a letter.
bool IsWhole(const std::string& sequence) {
  if (sequence.size() < 2) return false;
  if (sequence[1] == 'O') return sequence.size() == 3;
  if (sequence[1] != '[') return true;
  return sequence.size() > 2 && sequence.back() >= '@' && sequence.back() <= '~';
}

}  // namespace

void LineEditor::Begin() {
  text_.clear();
  pending_.clear();
  draft_.clear();
  cursor_ = 0;
  index_ = history_.size();
}

size_t LineEditor::Before(size_t at) const {
  if (at == 0) return 0;
  --at;
  while (at > 0 && Continues(text_[at])) --at;
  return at;
}

size_t LineEditor::After(size_t at) const {
  if (at >= text_.size()) return text_.size();
  ++at;
  while (at < text_.size() && Continues(text_[at])) ++at;
  return at;
}

void LineEditor::Insert(std::string_view text) {
  if (text_.size() + text.size() > limits::kBodyBytesMax) return;
  text_.insert(cursor_, text);
  cursor_ += text.size();
}

void LineEditor::EraseWordBefore() {
  size_t begin = cursor_;
  while (begin > 0 && text_[begin - 1] == ' ') --begin;
  while (begin > 0 && text_[begin - 1] != ' ') --begin;
  text_.erase(begin, cursor_ - begin);
  cursor_ = begin;
}

void LineEditor::MoveTo(size_t index) {
  if (index > history_.size()) return;
  if (index_ == history_.size()) draft_ = text_;
  index_ = index;
  text_ = index == history_.size() ? draft_ : history_[index];
  cursor_ = text_.size();
}

LineEditor::Event LineEditor::Feed(char byte) {
  if (!pending_.empty() && pending_[0] == kEscape) {
    pending_ += byte;
    if (!IsWhole(pending_)) return Event::kNone;
    FeedSequence(pending_);
    pending_.clear();
    return Event::kNone;
  }
  if (!pending_.empty() && !Continues(byte)) pending_.clear();  // it was cut off
  if (pending_.empty() && Continues(byte)) return Event::kNone;
  const bool is_control = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
  if (is_control && byte != kEscape) return FeedControl(byte);
  pending_ += byte;
  if (byte == kEscape || pending_.size() < BytesOf(pending_[0])) return Event::kNone;
  Insert(pending_);
  pending_.clear();
  return Event::kNone;
}

LineEditor::Event LineEditor::FeedControl(char byte) {
  const auto key = [](char letter) { return static_cast<char>(letter - '@'); };  // with Ctrl
  if (byte == '\r' || byte == '\n') {
    const bool is_new = history_.empty() || history_.back() != text_;
    if (!text_.empty() && is_new) history_.push_back(text_);
    return Event::kLine;
  }
  if (byte == key('D') && text_.empty()) return Event::kEnd;
  if (byte == key('A')) cursor_ = 0;
  if (byte == key('E')) cursor_ = text_.size();
  if (byte == key('B')) cursor_ = Before(cursor_);
  if (byte == key('F')) cursor_ = After(cursor_);
  if (byte == key('P') && index_ > 0) MoveTo(index_ - 1);
  if (byte == key('N')) MoveTo(index_ + 1);
  if (byte == key('K')) text_.erase(cursor_);
  if (byte == key('W')) EraseWordBefore();
  if (byte == key('D')) text_.erase(cursor_, After(cursor_) - cursor_);
  if (byte == '\t') Insert(" ");
  if (byte == key('U')) {
    text_.erase(0, cursor_);
    cursor_ = 0;
  }
  if (byte == key('H') || byte == 0x7f) {
    const size_t begin = Before(cursor_);
    text_.erase(begin, cursor_ - begin);
    cursor_ = begin;
  }
  return Event::kNone;
}

void LineEditor::FeedSequence(const std::string& sequence) {
  const std::string key = sequence.substr(1);
  if (key == "[A" || key == "OA") {
    if (index_ > 0) MoveTo(index_ - 1);
  } else if (key == "[B" || key == "OB") {
    MoveTo(index_ + 1);
  } else if (key == "[C" || key == "OC") {
    cursor_ = After(cursor_);
  } else if (key == "[D" || key == "OD") {
    cursor_ = Before(cursor_);
  } else if (key == "[H" || key == "OH" || key == "[1~" || key == "[7~") {
    cursor_ = 0;
  } else if (key == "[F" || key == "OF" || key == "[4~" || key == "[8~") {
    cursor_ = text_.size();
  } else if (key == "[3~") {
    text_.erase(cursor_, After(cursor_) - cursor_);
  }
}

std::string LineEditor::Drawn(std::string_view prompt, size_t columns) const {
  const size_t room = columns > prompt.size() + 2 ? columns - prompt.size() - 1 : 1;
  const auto width = [this](size_t begin, size_t end) {
    size_t sum = 0;
    for (size_t at = begin; at < end; at = After(at)) {
      sum += WidthOf(std::string_view(text_).substr(at, After(at) - at));
    }
    return sum;
  };
  // As much before the cursor as there is room for, then as much after it as is left.
  size_t begin = cursor_;
  for (size_t next = Before(begin); begin > 0 && width(next, cursor_) <= room; next = Before(begin)) {
    begin = next;
  }
  size_t end = cursor_;
  while (end < text_.size() && width(begin, After(end)) <= room) end = After(end);
  std::string drawn = "\r" + std::string(prompt) + text_.substr(begin, end - begin) + "\033[K";
  const size_t back = width(cursor_, end);
  if (back > 0) drawn += "\033[" + std::to_string(back) + "D";
  return drawn;
}

}  // namespace hearth::cli
