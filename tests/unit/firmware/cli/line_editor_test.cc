#include "firmware/cli/line_editor.h"

#include <gtest/gtest.h>
#include <locale.h>

namespace hearth::cli {
namespace {

constexpr const char* kLeft = "\033[D";
constexpr const char* kUp = "\033[A";
constexpr const char* kDown = "\033[B";

LineEditor::Event Type(LineEditor& editor, const std::string& keys) {
  LineEditor::Event event = LineEditor::Event::kNone;
  for (const char key : keys) event = editor.Feed(key);
  return event;
}

std::string After(const std::string& keys) {
  LineEditor editor;
  Type(editor, keys);
  return editor.text();
}

TEST(LineEditor, PutsTextWhereTheCursorIs) {
  EXPECT_EQ(After("helo" + std::string(kLeft) + "l"), "hello");
  EXPECT_EQ(After("world\001hello \005!"), "hello world!");
  EXPECT_EQ(After("ac\033OD" "b\033[F" "d\033[H" "_"), "_abcd");
}

TEST(LineEditor, TakesTextAway) {
  EXPECT_EQ(After("abc\177\b"), "a");
  EXPECT_EQ(After("abc\001\033[3~\004"), "c");
  EXPECT_EQ(After("one two  \027"), "one ");
  EXPECT_EQ(After("abcd\002\002\013"), "ab");
  EXPECT_EQ(After("abcd\002\002\025"), "cd");
  EXPECT_EQ(After("\177\b\027\025\013\033[3~x"), "x") << "nothing to take";
}

TEST(LineEditor, NeverCutsACharacter) {
  EXPECT_EQ(After("\xe4\xb8\xad\xe6\x96\x87\177"), "\xe4\xb8\xad");
  EXPECT_EQ(After("\xc3\xa9x" + std::string(kLeft) + kLeft + "\033[3~"), "x");
  EXPECT_EQ(After("\xe4\xb8" "a"), "a") << "half a character";
  EXPECT_EQ(After("\xb8" "a"), "a") << "the other half";
}

TEST(LineEditor, IgnoresKeysItDoesNotKnow) {
  EXPECT_EQ(After("a\033[15~\033[1;5C\033x\007\014" "b"), "ab");
}

TEST(LineEditor, BringsBackLinesAndTheDraft) {
  LineEditor editor;
  editor.Begin();
  EXPECT_EQ(Type(editor, "first\r"), LineEditor::Event::kLine);
  editor.Begin();
  Type(editor, "second\r");
  editor.Begin();
  Type(editor, "second\r");
  editor.Begin();
  Type(editor, "draft");
  Type(editor, kUp);
  EXPECT_EQ(editor.text(), "second");
  Type(editor, kUp);
  EXPECT_EQ(editor.text(), "first") << "a line twice in a row is kept once";
  Type(editor, kUp);
  EXPECT_EQ(editor.text(), "first");
  Type(editor, std::string(kDown) + kDown);
  EXPECT_EQ(editor.text(), "draft");
  Type(editor, kDown);
  EXPECT_EQ(editor.text(), "draft");
}

TEST(LineEditor, EndsOnAnEmptyLineOnly) {
  LineEditor editor;
  EXPECT_EQ(Type(editor, "a\004"), LineEditor::Event::kNone);
  EXPECT_EQ(Type(editor, "\177\004"), LineEditor::Event::kEnd);
}

TEST(LineEditor, DrawsThePartAroundTheCursor) {
  LineEditor editor;
  Type(editor, "hello");
  EXPECT_EQ(editor.Drawn("> ", 80), "\r> hello\033[K");
  Type(editor, std::string(kLeft) + kLeft);
  EXPECT_EQ(editor.Drawn("> ", 80), "\r> hello\033[K\033[2D");
  Type(editor, "\005");
  EXPECT_EQ(editor.Drawn("> ", 6), "\r> llo\033[K") << "the end, in three columns";
  Type(editor, "\001");
  EXPECT_EQ(editor.Drawn("> ", 6), "\r> hel\033[K\033[3D");
}

TEST(LineEditor, CountsTheColumnsOfWideCharacters) {
  ASSERT_NE(::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
  LineEditor editor;
  Type(editor, "\xe4\xb8\xad\xe6\x96\x87" + std::string(kLeft));
  EXPECT_EQ(editor.Drawn("> ", 80), "\r> \xe4\xb8\xad\xe6\x96\x87\033[K\033[2D");
  ::setlocale(LC_CTYPE, "C");
}

}  // namespace
}  // namespace hearth::cli
