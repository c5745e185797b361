// Editing one line on a terminal, with the lines before it: what every shell has taught its users.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::cli {

// The line and the keys that change it, apart from any terminal. Text is UTF-8; a cursor stands before
// a character, never inside.
//   arrows, Ctrl-B Ctrl-F Ctrl-P Ctrl-N   left, right, the line before, the line after
//   Home End, Ctrl-A Ctrl-E               to the beginning, to the end
//   Backspace, Delete, Ctrl-W             a character before, one after, a word before
//   Ctrl-U Ctrl-K                         all before, all after
class LineEditor {
 public:
  enum class Event {
    kNone,   // draw it again
    kLine,   // text() is what was entered; it is remembered
    kEnd,    // Ctrl-D on an empty line
  };

  Event Feed(char byte);
  // For the next line.
  void Begin();

  const std::string& text() const { return text_; }

  // The line as it is drawn over itself in so many columns: "\r", `prompt`, the part of the text
  // around the cursor, and the cursor put where it stands.
  std::string Drawn(std::string_view prompt, size_t columns) const;

 private:
  Event FeedControl(char byte);
  void FeedSequence(const std::string& sequence);
  void Insert(std::string_view text);
  void EraseWordBefore();
  void MoveTo(size_t index);  // in the history

  size_t Before(size_t at) const;  // where the character before begins
  size_t After(size_t at) const;   // where the one at `at` ends

  std::string text_;
  size_t cursor_ = 0;
  std::string pending_;               // of a character or a sequence that is not whole
  std::vector<std::string> history_;  // the oldest first
  size_t index_ = 0;                  // in history_; its size: the new line
  std::string draft_;                 // the new line, while an old one is shown
};

}  // namespace hearth::cli
