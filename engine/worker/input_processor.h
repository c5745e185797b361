// A Generate frame to a sequence the loop can run, or to the reason why it cannot.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "engine/core/sequence.h"
#include "engine/model/generation_config.h"
#include "engine/protocol/messages.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"
#include "engine/worker/output_processor.h"

namespace hearth::engine {

struct PreparedRequest {
  std::unique_ptr<Sequence> sequence;
  OutputProcessor::Request output;
};

// Immutable, so that any thread may call it.
class InputProcessor {
 public:
  struct Options {
    int max_model_len = 0;  // tokens of prompt and generation together
    int vocab_size = 0;     // of the model
    GenerationConfig generation_config;
  };

  // `tokenizer` and `chat_template` outlive this object; without a chat template, messages are
  // refused.
  InputProcessor(const Tokenizer* tokenizer, const ChatTemplate* chat_template, Options options);

  // Chat template, tokens, length, sampling parameters with the model's defaults. A seed that is
  // absent is drawn from the system's randomness.
  std::variant<PreparedRequest, protocol::Refused> Process(
      const protocol::Generate& generate) const;

 private:
  std::variant<std::vector<int>, protocol::Refused> TokenizePrompt(
      const protocol::Generate& generate) const;
  std::unique_ptr<Sequence> MakeSequence(std::vector<int> prompt,
                                         const protocol::SamplingParams& params) const;

  const Tokenizer* const tokenizer_;
  const ChatTemplate* const chat_template_;
  const Options options_;
  std::vector<int> eos_token_ids_;  // of generation_config and of the tokenizer
};

}  // namespace hearth::engine
