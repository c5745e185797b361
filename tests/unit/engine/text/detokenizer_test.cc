#include "engine/text/detokenizer.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/text/unicode.h"

namespace hearth::engine {
namespace {

// Every byte is a token of its own (id = byte), 256 is "llo" and 257 is special.
std::unique_ptr<Tokenizer> ByteTokenizer() {
  TokenizerParts parts;
  for (int byte = 0; byte < 256; ++byte) {
    parts.vocab[BytesToAlphabet(std::string(1, static_cast<char>(byte)))] = byte;
  }
  parts.vocab["llo"] = 256;
  parts.added_tokens = {{.id = 257, .content = "<|end|>", .special = true}};
  auto tokenizer = Tokenizer::FromParts(std::move(parts));
  CHECK(tokenizer.ok()) << tokenizer.status().ToString();
  return *std::move(tokenizer);
}

TEST(Detokenizer, HoldsBackACharacterUntilItIsWhole) {
  const auto tokenizer = ByteTokenizer();
  Detokenizer detokenizer(*tokenizer);
  EXPECT_EQ(detokenizer.Push(0xF0), "");
  EXPECT_EQ(detokenizer.Push(0x9F), "");
  EXPECT_EQ(detokenizer.Push(0xA6), "");
  EXPECT_EQ(detokenizer.Push(0x99), "🦙");
  EXPECT_EQ(detokenizer.Push('a'), "a");
  EXPECT_EQ(detokenizer.Push(0xC3), "");
  EXPECT_EQ(detokenizer.Push('b'),
            "\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(detokenizer.Push(0xE2), "");
  EXPECT_EQ(detokenizer.Flush(), "\xEF\xBF\xBD");
  EXPECT_EQ(detokenizer.Flush(), "");
}

TEST(Detokenizer, SkipsSpecialTokensUnlessToldOtherwise) {
  const auto tokenizer = ByteTokenizer();
  EXPECT_EQ(Detokenizer(*tokenizer).Push(257), "");
  EXPECT_EQ(Detokenizer(*tokenizer, /*skip_special_tokens=*/false).Push(257), "<|end|>");
  EXPECT_EQ(Detokenizer(*tokenizer).Push(-1), "");
}

TEST(Detokenizer, GivesWhatDecodeGivesForAnyTokens) {
  const auto tokenizer = ByteTokenizer();
  std::mt19937 random(1);
  // Bytes that lead, continue and break characters, so that most sequences are ill-formed
  // somewhere.
  const std::vector<int> bytes = {'a',  0x80, 0xBF, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xED, 0xA0,
                                  0xF0, 0x9F, 0xA6, 0x99, 0xF4, 0x90, 0xFF, 256,  257};
  for (int round = 0; round < 2000; ++round) {
    std::vector<int> ids(random() % 24);
    for (int& id : ids) id = bytes[random() % bytes.size()];
    Detokenizer detokenizer(*tokenizer);
    std::string streamed;
    for (const int id : ids) {
      const std::string piece = detokenizer.Push(id);
      EXPECT_TRUE(IsValidUtf8(piece));
      streamed += piece;
    }
    streamed += detokenizer.Flush();
    EXPECT_EQ(streamed, tokenizer->Decode(ids, true));
  }
}

TEST(StopChecker, HoldsBackWhatMayBecomeAStopString) {
  StopChecker checker({"END", "\n\n"}, false);
  EXPECT_EQ(checker.Push("one E").text, "one ");
  EXPECT_EQ(checker.Push("N").text, "");
  EXPECT_EQ(checker.Push("NE").text, "ENN");
  EXPECT_EQ(checker.Push("x\n").text, "Ex");
  EXPECT_EQ(checker.Flush(), "\n");
}

TEST(StopChecker, CutsAtTheStopStringOrBehindIt) {
  for (const bool include : {false, true}) {
    StopChecker checker({"END"}, include);
    EXPECT_EQ(checker.Push("tell E").text, "tell ");
    const StopChecker::Output output = checker.Push("ND and more");
    EXPECT_EQ(output.text, include ? "END" : "");
    EXPECT_EQ(output.stopped_by, "END");
    EXPECT_EQ(checker.Push("more").text, "");
    EXPECT_EQ(checker.Flush(), "");
  }
}

TEST(StopChecker, TakesTheStopStringThatBeginsFirst) {
  StopChecker checker({"cd", "bc", ""}, false);
  const StopChecker::Output output = checker.Push("abcd");
  EXPECT_EQ(output.text, "a");
  EXPECT_EQ(output.stopped_by, "bc");
}

TEST(StopChecker, ReleasesUncheckedTextUnseen) {
  StopChecker checker({"END"}, false);
  EXPECT_EQ(checker.Push("E").text, "");
  EXPECT_EQ(checker.Push("ND", /*check=*/false).text, "END");
  EXPECT_EQ(checker.Push("END").stopped_by, "END");
}

TEST(StopChecker, FindsTheSameForEverySplit) {
  const std::string text = "aababaabaababab stop aabaabX tail";
  const std::vector<std::string> stop = {"aabaabX", "zzz", "abaX"};
  std::mt19937 random(2);
  for (int round = 0; round < 500; ++round) {
    StopChecker checker(stop, false);
    std::string streamed;
    std::optional<std::string> stopped_by;
    for (size_t pos = 0; pos < text.size();) {
      const size_t length = 1 + random() % 5;
      StopChecker::Output output = checker.Push(text.substr(pos, length));
      streamed += output.text;
      if (output.stopped_by) stopped_by = output.stopped_by;
      pos += length;
    }
    streamed += checker.Flush();
    EXPECT_EQ(streamed, "aababaabaababab stop ");
    EXPECT_EQ(stopped_by, "aabaabX");
  }
}

TEST(StreamingText, StopsAcrossTokensAndCharacters) {
  const auto tokenizer = ByteTokenizer();
  StreamingText stream(*tokenizer, {"é!"});
  std::string text;
  std::optional<std::string> stopped_by;
  for (const int id : std::vector<int>{'h', 'e', 256, 0xC3, 0xA9, '!', 'x'}) {
    StopChecker::Output output = stream.Push(id);
    text += output.text;
    if (output.stopped_by) stopped_by = output.stopped_by;
  }
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(stopped_by, "é!");
}

TEST(StreamingText, FlushesWhatWasHeldBack) {
  const auto tokenizer = ByteTokenizer();
  StreamingText stream(*tokenizer, {"hello"});
  EXPECT_EQ(stream.Push('h').text, "");
  EXPECT_EQ(stream.Push(0xC3).text, "");
  EXPECT_EQ(stream.Flush().text, "h\xEF\xBF\xBD");
}

}  // namespace
}  // namespace hearth::engine
