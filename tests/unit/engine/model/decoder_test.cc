#include "engine/model/decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numeric>
#include <random>

#include "base/json.h"
#include "tests/unit/engine/model/temp_dir.h"

namespace hearth::engine {
namespace {

constexpr int kMaxModelLen = 700;  // attention in three chunks

int RunCommand(const std::string& command) { return std::system(command.c_str()); }

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Tiny random checkpoints, written once by tests/reference/make_random_qwen2.py with these options.
class DecoderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RunCommand("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
      GTEST_SKIP() << "python3-numpy is missing: no checkpoint and no reference";
    }
  }

  static const std::string& Checkpoint(const std::string& script_options) {
    static std::map<std::string, TempDir> directories;
    const auto [it, added] = directories.try_emplace(script_options);
    if (added) {
      EXPECT_EQ(RunCommand("/usr/bin/python3 tests/reference/make_random_qwen2.py " +
                           it->second.path() + " --tiny " + script_options),
                0);
    }
    return it->second.path();
  }

  static std::unique_ptr<Model> Load(const std::string& directory,
                                     const std::string& dtype = "auto", int num_threads = 2) {
    LoadOptions options;
    options.dtype = dtype;
    options.num_threads = num_threads;
    options.max_model_len = kMaxModelLen;
    options.max_num_batched_tokens = 1024;
    options.max_num_seqs = 16;
    options.kv_cache_bytes = int64_t{32} << 20;
    Result<std::unique_ptr<Model>> model = Model::Load(directory, options, nullptr);
    EXPECT_TRUE(model.ok()) << model.status().message();
    return *std::move(model);
  }
};

// Sequences with blocks of their own in one model.
struct TestSequence {
  std::vector<int> tokens;
  std::vector<int> blocks;
  int num_computed = 0;
};

class Sequences {
 public:
  explicit Sequences(Model& model) : model_(model), free_(static_cast<size_t>(model.num_blocks())) {
    std::iota(free_.begin(), free_.end(), 0);
    std::shuffle(free_.begin(), free_.end(), std::mt19937(5));
  }

  TestSequence Add(std::vector<int> tokens) {
    TestSequence sequence;
    sequence.tokens = std::move(tokens);
    const auto blocks = static_cast<std::ptrdiff_t>(kMaxModelLen / model_.block_size() + 1);
    sequence.blocks.assign(free_.end() - blocks, free_.end());
    free_.erase(free_.end() - blocks, free_.end());
    return sequence;
  }

 private:
  Model& model_;
  std::vector<int> free_;
};

// Computes the next `rows` tokens of each sequence in one step; logits [sequences][vocab_size].
std::vector<float> Step(Model& model, std::vector<TestSequence*> sequences, int rows) {
  StepBatch batch;
  for (TestSequence* sequence : sequences) {
    const int left = static_cast<int>(sequence->tokens.size()) - sequence->num_computed;
    const int count = std::min(rows, left);
    batch.seqs.push_back({batch.num_tokens(), count, sequence->blocks.data(),
                          static_cast<int>(sequence->blocks.size()), true});
    for (int i = 0; i < count; ++i) {
      batch.token_ids.push_back(sequence->tokens[static_cast<size_t>(sequence->num_computed)]);
      batch.positions.push_back(sequence->num_computed++);
    }
  }
  const std::span<const float> logits = model.Forward(batch);
  return {logits.begin(), logits.end()};
}

int Argmax(const std::vector<float>& logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

struct Generation {
  std::vector<int> tokens;
  std::vector<float> logits;  // [tokens][vocab_size]
};

Generation Greedy(Model& model, const std::vector<int>& prompt, int max_tokens) {
  Sequences pool(model);
  TestSequence sequence = pool.Add(prompt);
  Generation result;
  while (static_cast<int>(result.tokens.size()) < max_tokens) {
    const std::vector<float> logits = Step(model, {&sequence}, kMaxModelLen);
    result.logits.insert(result.logits.end(), logits.begin(), logits.end());
    result.tokens.push_back(Argmax(logits));
    sequence.tokens.push_back(result.tokens.back());
  }
  return result;
}

Generation Reference(const std::string& directory, const std::vector<int>& prompt, int max_tokens) {
  const TempDir out;
  std::string ids;
  for (const int token : prompt) ids += (ids.empty() ? "" : ",") + std::to_string(token);
  EXPECT_EQ(RunCommand("/usr/bin/python3 tests/reference/qwen2_reference.py " + directory +
                       " --prompt-ids " + ids + " --max-tokens " + std::to_string(max_tokens) +
                       " --logits " + out.path() + "/logits > " + out.path() + "/ids"),
            0);
  Generation result;
  result.tokens = ParseJson(ReadFile(out.path() + "/ids"))->get<std::vector<int>>();
  const std::string bytes = ReadFile(out.path() + "/logits");
  result.logits.resize(bytes.size() / sizeof(float));
  std::memcpy(result.logits.data(), bytes.data(), bytes.size());
  return result;
}

std::vector<int> RandomTokens(size_t count, int vocab_size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int> tokens(count);
  for (int& token : tokens) token = static_cast<int>(random() % static_cast<unsigned>(vocab_size));
  return tokens;
}

double MaxDifference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double max = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    max = std::max(max, std::abs(double{a[i]} - double{b[i]}));
  }
  return max;
}

TEST_F(DecoderTest, AgreesWithThePlainReference) {
  for (const std::string options :
       {"", "--untied --dtype F32 --shards 3", "--dtype F16 --seed 2"}) {
    const std::string& directory = Checkpoint(options);
    const std::unique_ptr<Model> model = Load(directory);
    for (const size_t length : {1u, 5u, 40u, 600u}) {
      const std::vector<int> prompt =
          RandomTokens(length, model->config().vocab_size, static_cast<unsigned>(length));
      const Generation expected = Reference(directory, prompt, 16);
      const Generation found = Greedy(*model, prompt, 16);
      EXPECT_EQ(found.tokens, expected.tokens) << options << ", prompt of " << length;
      // Both sides are fp32 with sums in other orders: some 600 roundings of values of size 1 to 3
      // (half a unit is 1e-7) on the way to a logit, which add up as a random walk.
      EXPECT_LT(MaxDifference(found.logits, expected.logits), 5e-5) << options << ", " << length;
    }
  }
}

TEST_F(DecoderTest, KeepsBFloat16WeightsExactly) {
  const std::string& directory = Checkpoint("");
  const std::unique_ptr<Model> narrow = Load(directory, "bfloat16");
  const std::unique_ptr<Model> wide = Load(directory, "float32");
  EXPECT_EQ(narrow->dtype(), "bfloat16");
  EXPECT_EQ(wide->dtype(), "float32");
  EXPECT_GT(wide->weight_bytes(), narrow->weight_bytes() * 3 / 2);
  const std::vector<int> prompt = RandomTokens(50, narrow->config().vocab_size, 3);
  EXPECT_EQ(Greedy(*narrow, prompt, 8).logits, Greedy(*wide, prompt, 8).logits);
}

TEST_F(DecoderTest, RoundsFloat32WeightsToBFloat16WhenAsked) {
  const std::string& directory = Checkpoint("--untied --dtype F32 --shards 3");
  const std::vector<int> prompt = RandomTokens(20, 300, 4);
  const Generation exact = Greedy(*Load(directory, "float32"), prompt, 1);
  const Generation rounded = Greedy(*Load(directory, "bfloat16"), prompt, 1);
  const double difference = MaxDifference(exact.logits, rounded.logits);
  EXPECT_GT(difference, 0);
  EXPECT_LT(difference, 0.5);  // of logits of size 6, with weights off by up to 2^-9
}

TEST_F(DecoderTest, GivesTheSameBitsHoweverThePromptIsCut) {
  const std::unique_ptr<Model> model = Load(Checkpoint(""));
  const std::vector<int> prompt = RandomTokens(600, model->config().vocab_size, 7);
  Sequences pool(*model);
  TestSequence whole = pool.Add(prompt);
  const std::vector<float> expected = Step(*model, {&whole}, kMaxModelLen);
  for (const int rows : {1, 7, 16, 100, 256, 599}) {
    Sequences fresh(*model);
    TestSequence cut = fresh.Add(prompt);
    std::vector<float> logits;
    while (cut.num_computed < 600) logits = Step(*model, {&cut}, rows);
    EXPECT_EQ(logits, expected) << rows << " rows at a time";
  }
}

TEST_F(DecoderTest, GivesEachSequenceTheSameBitsAsAlone) {
  const std::unique_ptr<Model> model = Load(Checkpoint(""));
  const int vocab_size = model->config().vocab_size;
  std::vector<std::vector<float>> alone;
  std::vector<TestSequence> together;
  Sequences pool(*model);
  for (unsigned i = 0; i < 13; ++i) {
    const std::vector<int> prompt = RandomTokens(1 + i * 9, vocab_size, i);
    Sequences fresh(*model);
    TestSequence single = fresh.Add(prompt);
    Step(*model, {&single}, 3);  // another cut than in the batch below
    std::vector<float> logits;
    while (single.num_computed < static_cast<int>(prompt.size()))
      logits = Step(*model, {&single}, 40);
    if (prompt.size() <= 3) {
      TestSequence again = pool.Add(prompt);
      logits = Step(*model, {&again}, 40);
    }
    alone.push_back(logits);
    together.push_back(pool.Add(prompt));
  }
  std::vector<TestSequence*> batch;
  for (TestSequence& sequence : together) batch.push_back(&sequence);
  const std::vector<float> logits = Step(*model, batch, kMaxModelLen);
  for (size_t i = 0; i < together.size(); ++i) {
    const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(i) * vocab_size;
    EXPECT_EQ(std::vector<float>(begin, begin + vocab_size), alone[i]) << "sequence " << i;
  }
}

TEST_F(DecoderTest, GivesTheSameBitsWithAnyNumberOfThreads) {
  const std::vector<int> prompt = RandomTokens(100, 300, 8);
  const Generation expected = Greedy(*Load(Checkpoint(""), "auto", 1), prompt, 4);
  for (const int threads : {2, 3, 5}) {
    EXPECT_EQ(Greedy(*Load(Checkpoint(""), "auto", threads), prompt, 4).logits, expected.logits);
  }
}

TEST_F(DecoderTest, WantsLogitsOnlyWhereAsked) {
  const std::unique_ptr<Model> model = Load(Checkpoint(""));
  Sequences pool(*model);
  TestSequence sequence = pool.Add({1, 2, 3});
  StepBatch batch;
  EXPECT_TRUE(model->Forward(batch).empty());
  batch.token_ids = {1, 2, 3};
  batch.positions = {0, 1, 2};
  batch.seqs.push_back({0, 3, sequence.blocks.data(), 1, false});
  EXPECT_TRUE(model->Forward(batch).empty());
}

TEST_F(DecoderTest, ReportsWhatItLoaded) {
  std::vector<double> fractions;
  LoadOptions options;
  options.kv_cache_bytes = int64_t{64} << 20;
  const Result<std::unique_ptr<Model>> model =
      Model::Load(Checkpoint(""), options,
                  [&](std::string_view, double fraction) { fractions.push_back(fraction); });
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1.0);
  EXPECT_EQ((*model)->max_model_len(), 1024);
  // 301 x 96 embeddings, 3 layers of 82,528, and the last norm.
  EXPECT_EQ((*model)->num_parameters(), 301 * 96 + 3 * 82528 + 96);
  EXPECT_EQ((*model)->generation_config().eos_token_id, (std::vector<int>{258, 256}));
  EXPECT_LE((*model)->kv_cache_bytes(), int64_t{64} << 20);
}

TEST_F(DecoderTest, RefusesMoreContextThanTheModelHas) {
  LoadOptions options;
  options.max_model_len = 1025;
  const Status status = Model::Load(Checkpoint(""), options, nullptr).status();
  EXPECT_NE(status.message().find("max_model_len 1025"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("max_position_embeddings 1024"), std::string::npos);
}

TEST_F(DecoderTest, SaysWhichTensorOfABrokenDirectoryIsWrong) {
  const TempDir broken;
  const auto load = [&] { return Model::Load(broken.path(), {}, nullptr).status().message(); };
  const std::string config = ReadFile(Checkpoint("") + "/config.json");
  const std::string weights = ReadFile(Checkpoint("") + "/model.safetensors");
  const auto replaced = [](std::string text, const std::string& old, const std::string& by) {
    const size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos);
    return at == std::string::npos ? text : text.replace(at, old.size(), by);
  };

  broken.Write("config.json", config);
  EXPECT_NE(load().find("has neither model.safetensors"), std::string::npos) << load();

  broken.Write("model.safetensors", weights.substr(0, weights.size() / 2));
  EXPECT_NE(load().find("the file is truncated: tensor 'model.layers."), std::string::npos)
      << load();

  broken.Write("model.safetensors", replaced(weights, "model.norm.weight", "model.norm.weighs"));
  EXPECT_NE(load().find("tensor 'model.norm.weight' is missing"), std::string::npos) << load();

  broken.Write("model.safetensors", weights);
  broken.Write("config.json",
               replaced(config, "\"intermediate_size\": 200", "\"intermediate_size\": 201"));
  EXPECT_NE(load().find("tensor 'model.layers.0.mlp.gate_proj.weight' has the shape [200, 96], but "
                        "config.json asks for [201, 96]"),
            std::string::npos)
      << load();
}

}  // namespace
}  // namespace hearth::engine
