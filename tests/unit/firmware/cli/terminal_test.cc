#include "firmware/cli/terminal.h"

#include <gtest/gtest.h>

#include "firmware/cli/box_client.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

TEST(Harmless, TakesAwayWhatATerminalWouldObey) {
  EXPECT_EQ(Harmless("a\033[31mred\033]0;title\007b"), "a[31mred]0;titleb");
  EXPECT_EQ(Harmless("one\rtwo\x7f\b"), "onetwo");
  EXPECT_EQ(Harmless("\xc2\x9b" "31m"), "31m") << "the same sequence as one character, U+009B";
}

TEST(Harmless, LeavesTextAsItIs) {
  const std::string text = "tab\tline\n\xc2\xa0\xe4\xb8\xad\xe6\x96\x87 \xc3\xa9";
  EXPECT_EQ(Harmless(text), text);
}

TEST(DurationText, SaysTwoUnitsAtMost) {
  EXPECT_EQ(DurationText(0), "0 ms");
  EXPECT_EQ(DurationText(0.3504), "350 ms");
  EXPECT_EQ(DurationText(0.9996), "1.0 s");
  EXPECT_EQ(DurationText(59.94), "59.9 s");
  EXPECT_EQ(DurationText(59.96), "1 min");
  EXPECT_EQ(DurationText(200), "3 min 20 s");
  EXPECT_EQ(DurationText(7500), "2 h 5 min");
  EXPECT_EQ(DurationText(9 * 86400 + 3 * 3600 + 59), "9 d 3 h");
}

TEST(AgoText, CountsWholeSecondsAndKnowsNever) {
  EXPECT_EQ(AgoText(0, 1'000'000), "never");
  EXPECT_EQ(AgoText(988'000, 1'000'000), "12 s ago");
  EXPECT_EQ(AgoText(1'000'500, 1'000'000), "0 s ago") << "a clock that is a little ahead";
  EXPECT_EQ(AgoText(1, 3'600'001), "1 h ago");
}

TEST(PathSegment, KeepsASlashInsideOneSegment) {
  EXPECT_EQ(PathSegment("Qwen/Qwen2.5-0.5B"), "Qwen%2FQwen2.5-0.5B");
  EXPECT_EQ(PathSegment("a b?c#d%"), "a%20b%3Fc%23d%25");
  EXPECT_EQ(PathSegment("\xc3\xa9"), "%C3%A9");
}

}  // namespace
}  // namespace hearth::cli
