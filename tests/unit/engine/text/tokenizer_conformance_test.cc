// Ids of llama.cpp's 46 tricky strings, for the vocabularies of Qwen2 and GPT-2.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "engine/text/tokenizer_json.h"
#include "tests/unit/engine/text/gguf_vocab.h"

namespace hearth::engine {
namespace {

constexpr char kSeparator[] = "\n__ggml_vocab_test__\n";

std::string ReadText(const std::string& path) {
  Result<std::string> text = ReadModelFile(path, 1 << 20);
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  return text.ok() ? *text : "";
}

std::vector<std::string> ReadInputs(const std::string& path) {
  const std::string text = ReadText(path);
  std::vector<std::string> inputs;
  size_t begin = 0;
  for (size_t end; (end = text.find(kSeparator, begin)) != std::string::npos;) {
    inputs.push_back(text.substr(begin, end - begin));
    begin = end + sizeof(kSeparator) - 1;
  }
  return inputs;
}

std::vector<std::vector<int>> ReadIds(const std::string& path) {
  std::istringstream file(ReadText(path));
  std::vector<std::vector<int>> all;
  for (std::string line; std::getline(file, line);) {
    std::istringstream numbers(line);
    std::vector<int>& ids = all.emplace_back();
    for (int id; numbers >> id;) ids.push_back(id);
  }
  return all;
}

class TokenizerConformance : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    path_ = "../shared/conformance/tokenizer/ggml-vocab-" + GetParam() + ".gguf";
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << path_ << " is not on this machine";
    Result<TokenizerParts> parts = ReadGgufVocab(path_);
    ASSERT_TRUE(parts.ok()) << parts.status().ToString();
    Result<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::FromParts(*std::move(parts));
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().ToString();
    tokenizer_ = *std::move(tokenizer);
  }

  std::string path_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_P(TokenizerConformance, GivesLlamaCppsIdsAndDecodesThemBack) {
  const std::vector<std::string> inputs = ReadInputs(path_ + ".inp");
  const std::vector<std::vector<int>> expected = ReadIds(path_ + ".out");
  ASSERT_EQ(inputs.size(), 46u);
  ASSERT_EQ(expected.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<int> ids = tokenizer_->Encode(inputs[i], /*parse_special=*/false);
    EXPECT_EQ(ids, expected[i]) << "input " << i << ": " << inputs[i];
    EXPECT_EQ(tokenizer_->Decode(ids, /*skip_special=*/false), inputs[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, TokenizerConformance, testing::Values("qwen2", "gpt-2"),
                         [](const auto& test) { return test.param == "qwen2" ? "Qwen2" : "Gpt2"; });

}  // namespace
}  // namespace hearth::engine
