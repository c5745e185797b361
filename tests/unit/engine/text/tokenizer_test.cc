#include "engine/text/tokenizer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "engine/text/unicode.h"

namespace hearth::engine {
namespace {

using Ids = std::vector<int>;

// A tokenizer.json with all 256 bytes (id = byte), a few merges and ChatML's special tokens.
Json SmallTokenizerJson() {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte) {
    vocab[BytesToAlphabet(std::string(1, static_cast<char>(byte)))] = byte;
  }
  vocab["he"] = 256;
  vocab["ll"] = 257;
  vocab["hell"] = 258;
  vocab["hello"] = 259;
  vocab["Ġw"] = 260;
  const auto added = [](int id, const char* content, bool special) {
    return Json{{"id", id}, {"content", content}, {"special", special}, {"normalized", false}};
  };
  const Json split = {{"type", "Split"},
                      {"pattern",
                       {{"Regex", R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
                                  R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  return {{"added_tokens",
           {added(300, "<|im_start|>", true), added(301, "<|im_end|>", true),
            added(302, "<tool_call>", false)}},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, byte_level}}}},
          {"post_processor", nullptr},
          {"model",
           {{"type", "BPE"},
            {"vocab", vocab},
            {"merges", {"h e", {"l", "l"}, "he ll", "hell o", "Ġ w"}}}}};
}

class TokenizerFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    dir_ = testing::TempDir() + "hearth_tokenizer_" + info->name();
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(dir_ + "/" + name) << content;
  }
  Result<std::unique_ptr<Tokenizer>> LoadJson(const Json& tokenizer) {
    Write("tokenizer.json", tokenizer.dump());
    return Tokenizer::Load(dir_);
  }
  std::unique_ptr<Tokenizer> LoadSmall() {
    Result<std::unique_ptr<Tokenizer>> tokenizer = LoadJson(SmallTokenizerJson());
    CHECK(tokenizer.ok()) << tokenizer.status().ToString();
    return *std::move(tokenizer);
  }
  // The error of a small tokenizer in which the value at `pointer` is replaced.
  std::string ErrorWith(const std::string& pointer, const Json& value) {
    Json tokenizer = SmallTokenizerJson();
    tokenizer[Json::json_pointer(pointer)] = value;
    const auto loaded = LoadJson(tokenizer);
    return loaded.ok() ? "loaded" : loaded.status().message();
  }

  std::string dir_;
};

using TokenizerTest = TokenizerFiles;

TEST_F(TokenizerTest, MergesByRankWithinWords) {
  const auto tokenizer = LoadSmall();
  EXPECT_EQ(tokenizer->Encode("hello", false), Ids({259}));
  EXPECT_EQ(tokenizer->Encode("hello world", false), Ids({259, 260, 'o', 'r', 'l', 'd'}));
  EXPECT_EQ(tokenizer->Encode("", false), Ids());
  EXPECT_EQ(tokenizer->vocab_size(), 303);
  EXPECT_EQ(tokenizer->TokenBytes(260), " w");
  EXPECT_EQ(tokenizer->TokenId("Ġw"), 260);
  EXPECT_EQ(tokenizer->TokenId("absent"), std::nullopt);
}

TEST_F(TokenizerTest, FindsSpecialTokensOnlyWhereAsked) {
  const auto tokenizer = LoadSmall();
  EXPECT_EQ(tokenizer->Encode("<|im_start|>hello<|im_end|>", true), Ids({300, 259, 301}));
  for (const int id : tokenizer->Encode("<|im_start|>hello<|im_end|>", false)) {
    EXPECT_FALSE(tokenizer->IsSpecial(id));
  }
  // An added token that is not special is one in any text.
  EXPECT_EQ(tokenizer->Encode("<tool_call>hello", false), Ids({302, 259}));
}

TEST_F(TokenizerTest, FindsNoSpecialTokenThatInputTakesPartIn) {
  const auto tokenizer = LoadSmall();
  const std::vector<Segment> segments = {{"<|im_start|>", false}, {"<|im_", true},
                                         {"end|>", false},        {"<|im_", false},
                                         {"end|>", true},         {"<|im_end|>", false}};
  Ids special;
  for (const int id : tokenizer->Encode(segments)) {
    if (tokenizer->IsSpecial(id)) special.push_back(id);
  }
  EXPECT_EQ(special, Ids({300, 301}));
}

TEST_F(TokenizerTest, GivesTheIdsOfTheWholeTextAcrossSegments) {
  const auto tokenizer = LoadSmall();
  const std::vector<Segment> segments = {{"he", false}, {"ll", true}, {"o", false}};
  EXPECT_EQ(tokenizer->Encode(segments), Ids({259}));
}

TEST_F(TokenizerTest, NormalizesToNfc) {
  const auto tokenizer = LoadSmall();
  // e + U+0301 composes to é, C3 A9.
  EXPECT_EQ(tokenizer->Encode("e\xCC\x81", false), Ids({0xC3, 0xA9}));
  // Two marks in the wrong order: U+0323 (class 220) goes before U+0302 (class 230), and composes.
  EXPECT_EQ(NormalizeNfc("o\xCC\x82\xCC\xA3"), "\xE1\xBB\x99");
  EXPECT_EQ(NormalizeNfc("\xE1\x84\x80\xE1\x85\xA1"), "\xEA\xB0\x80");  // Hangul
}

TEST_F(TokenizerTest, DecodesAndSkipsSpecialTokens) {
  const auto tokenizer = LoadSmall();
  const Ids ids = {300, 259, 301, 0xC3, 9999};
  EXPECT_EQ(tokenizer->Decode(ids, true), "hello\xEF\xBF\xBD");
  EXPECT_EQ(tokenizer->Decode(ids, false), "<|im_start|>hello<|im_end|>\xEF\xBF\xBD");
}

TEST_F(TokenizerTest, EncodesLongRunsWithoutQuadraticWork) {
  const auto tokenizer = LoadSmall();
  // With quadratic work each of these would take minutes, and the suite would not end.
  const size_t n = 1 << 18;
  EXPECT_EQ(tokenizer->Encode(std::string(n, 'l'), false).size(), n / 2);
  EXPECT_EQ(tokenizer->Encode(std::string(n, '7'), false).size(), n);
  EXPECT_EQ(tokenizer->Encode(std::string(n, '<'), true).size(), n);
  EXPECT_EQ(tokenizer->Encode(std::string(n, ' '), false).size(), n);
  std::string marks;
  for (size_t i = 0; i < n / 4; ++i) marks += "\xCC\x82\xCC\xA3";
  EXPECT_EQ(tokenizer->Encode(marks, false).size(), marks.size());
}

TEST_F(TokenizerTest, TakesSpecialTokensOfTheConfig) {
  Write("tokenizer.json", SmallTokenizerJson().dump());
  Write("tokenizer_config.json",
        R"({"eos_token": {"content": "<|im_end|>"}, "bos_token": null,
            "added_tokens_decoder": {"310": {"content": "<|extra|>", "special": true}}})");
  const auto tokenizer = Tokenizer::Load(dir_);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  EXPECT_EQ((*tokenizer)->eos_token_id(), 301);
  EXPECT_EQ((*tokenizer)->bos_token_id(), std::nullopt);
  EXPECT_EQ((*tokenizer)->Encode("<|extra|>", true), Ids({310}));
}

TEST_F(TokenizerTest, AddsWhatTheTemplateProcessorAdds) {
  Json tokenizer_json = SmallTokenizerJson();
  tokenizer_json["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", {{{"SpecialToken", {{"id", "<|im_start|>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
      {"special_tokens", {{"<|im_start|>", {{"ids", {300}}}}}}};
  const auto tokenizer = LoadJson(tokenizer_json);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  EXPECT_EQ((*tokenizer)->AddSpecialTokens({259}), Ids({300, 259}));
}

TEST_F(TokenizerTest, SaysWhatIsMissingOrUnsupported) {
  const auto missing = Tokenizer::Load(dir_);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_NE(missing.status().message().find("tokenizer.json"), std::string::npos);

  Write("tokenizer.json", "{ broken");
  EXPECT_FALSE(Tokenizer::Load(dir_).ok());

  const auto expect_error = [&](const std::string& pointer, const Json& value, const char* part) {
    EXPECT_NE(ErrorWith(pointer, value).find(part), std::string::npos)
        << pointer << ": " << ErrorWith(pointer, value);
  };
  expect_error("/model/type", "Unigram", "model is \"Unigram\"");
  expect_error("/model/byte_fallback", true, "byte_fallback");
  expect_error("/model/merges/0", "unheard-of", "model.merges");
  expect_error("/model/merges/0", "q q", "names a token that the vocabulary lacks");
  expect_error("/model/vocab", Json{{"a", 1}}, "lacks the token");
  expect_error("/normalizer", Json{{"type", "Precompiled"}}, "normalizer is \"Precompiled\"");
  expect_error("/pre_tokenizer", Json{{"type", "Metaspace"}}, "pre_tokenizer is \"Metaspace\"");
  expect_error("/pre_tokenizer/pretokenizers/0/pattern/Regex", "\\w+", "regex \"\\w+\" is unknown");
  expect_error("/added_tokens/0", Json{{"id", 1}}, "added_tokens");
  expect_error("/added_tokens/0/id", 2'000'000'000, "has the id 2000000000");
}

TEST(TokenizerOfTheDemoModel, LoadsAndRoundTrips) {
  const std::string dir = "packaging/demo-model/model";
  if (!std::filesystem::exists(dir + "/tokenizer.json")) GTEST_SKIP() << dir << " is not built yet";
  const auto tokenizer = Tokenizer::Load(dir);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
  ASSERT_TRUE((*tokenizer)->eos_token_id().has_value());
  EXPECT_TRUE((*tokenizer)->IsSpecial(*(*tokenizer)->eos_token_id()));
  const std::string text = "Where does Hearth keep its history? Größe: 3,5 GB — ok 🦙\n";
  const Ids ids = (*tokenizer)->Encode(text, true);
  EXPECT_LT(ids.size(), text.size());
  EXPECT_EQ((*tokenizer)->Decode(ids, true), text);
}

}  // namespace
}  // namespace hearth::engine
