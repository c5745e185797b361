// Greedy decoding with the engine's model alone: no scheduler, no tokenizer.
//
//   engine_generate MODEL_DIR --prompt-ids 1,2,3 --max-tokens 16 [--dtype auto] [--threads 0]
//       prints the continuation as JSON, as qwen2_reference.py does; times go to stderr
//   engine_generate MODEL_DIR --bench PROMPT_TOKENS --max-tokens 64
//       a prompt of that many arbitrary tokens, for the times alone
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/model/decoder.h"

namespace hearth::engine {
namespace {

struct Arguments {
  std::string model_dir;
  std::vector<int> prompt;
  int max_tokens = 16;
  LoadOptions options;
};

int ToInt(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<int> ToInts(std::string_view text) {
  std::vector<int> values;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    values.push_back(ToInt(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return values;
}

bool Parse(int argc, char** argv, Arguments& arguments) {
  if (argc < 2) return false;
  arguments.model_dir = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string_view value = argv[i + 1];
    if (name == "--prompt-ids") {
      arguments.prompt = ToInts(value);
    } else if (name == "--bench") {
      arguments.prompt.resize(static_cast<size_t>(ToInt(value)));
      for (size_t i_token = 0; i_token < arguments.prompt.size(); ++i_token) {
        arguments.prompt[i_token] = static_cast<int>(i_token * 7919 % 251);
      }
    } else if (name == "--max-tokens") {
      arguments.max_tokens = ToInt(value);
    } else if (name == "--dtype") {
      arguments.options.dtype = value;
    } else if (name == "--threads") {
      arguments.options.num_threads = ToInt(value);
    } else {
      return false;
    }
  }
  return !arguments.prompt.empty() && arguments.max_tokens > 0;
}

int Argmax(std::span<const float> logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// Feeds `tokens` at positions [start, ...) and returns the greedy token behind the last.
int Step(Model& model, const std::vector<int>& blocks, const std::vector<int>& tokens, int start) {
  StepBatch batch;
  batch.token_ids = tokens;
  batch.positions.resize(tokens.size());
  std::iota(batch.positions.begin(), batch.positions.end(), start);
  batch.seqs.push_back(
      {0, static_cast<int>(tokens.size()), blocks.data(), static_cast<int>(blocks.size()), true});
  return Argmax(model.Forward(batch));
}

int Run(const Arguments& arguments) {
  const double load_start = MonotonicSeconds();
  LoadOptions options = arguments.options;
  options.max_num_seqs = 1;
  options.max_model_len = static_cast<int>(arguments.prompt.size()) + arguments.max_tokens;
  options.max_num_batched_tokens = static_cast<int>(arguments.prompt.size());
  Result<std::unique_ptr<Model>> model = Model::Load(arguments.model_dir, options, nullptr);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().message().c_str());
    return 1;
  }
  std::vector<int> blocks(static_cast<size_t>((*model)->num_blocks()));
  std::iota(blocks.begin(), blocks.end(), 0);

  const double prefill_start = MonotonicSeconds();
  std::vector<int> generated{Step(**model, blocks, arguments.prompt, 0)};
  const double decode_start = MonotonicSeconds();
  int position = static_cast<int>(arguments.prompt.size());
  while (static_cast<int>(generated.size()) < arguments.max_tokens) {
    generated.push_back(Step(**model, blocks, {generated.back()}, position++));
  }
  const double end = MonotonicSeconds();

  std::printf("[");
  for (size_t i = 0; i < generated.size(); ++i)
    std::printf("%s%d", i == 0 ? "" : ", ", generated[i]);
  std::printf("]\n");
  const double decoded = static_cast<double>(generated.size()) - 1;
  std::fprintf(
      stderr,
      "%s, %s: load %.2f s; prefill %zu tokens %.1f tok/s; decode %.1f tok/s (%.1f GB/s of "
      "weights)\n",
      (*model)->device_name().c_str(), (*model)->dtype().c_str(), prefill_start - load_start,
      arguments.prompt.size(),
      static_cast<double>(arguments.prompt.size()) / (decode_start - prefill_start),
      decoded / (end - decode_start),
      decoded / (end - decode_start) * static_cast<double>((*model)->weight_bytes()) * 1e-9);
  return 0;
}

}  // namespace
}  // namespace hearth::engine

int main(int argc, char** argv) {
  hearth::engine::Arguments arguments;
  if (!hearth::engine::Parse(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: engine_generate MODEL_DIR (--prompt-ids 1,2,3 | --bench TOKENS) "
                 "[--max-tokens N] [--dtype auto|bfloat16|float32] [--threads N]\n");
    return 2;
  }
  return hearth::engine::Run(arguments);
}
