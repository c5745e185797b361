#include "engine/worker/input_processor.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/limits.h"

namespace hearth::engine {
namespace {

using protocol::Refused;
using protocol::SamplingParams;

Refused Refuse(std::string param, std::string message, std::string code = "") {
  Refused refused;
  refused.status_code = static_cast<int>(StatusCode::kInvalidArgument);
  refused.message = std::move(message);
  refused.code = std::move(code);
  refused.param = std::move(param);
  return refused;
}

std::string Number(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::optional<Refused> CheckStop(const SamplingParams& params, int vocab_size) {
  if (params.stop.size() > static_cast<size_t>(limits::kStopStringsMax)) {
    return Refuse("stop", "stop has " + std::to_string(params.stop.size()) +
                              " strings, at most " + std::to_string(limits::kStopStringsMax) +
                              " are allowed");
  }
  for (const std::string& stop : params.stop) {
    if (stop.empty()) return Refuse("stop", "a stop string must not be empty");
    if (stop.size() > limits::kStopStringBytesMax) {
      return Refuse("stop", "a stop string has " + std::to_string(stop.size()) +
                                " bytes, at most " +
                                std::to_string(limits::kStopStringBytesMax) + " are allowed");
    }
  }
  for (const int id : params.stop_token_ids) {
    if (id < 0 || id >= vocab_size) {
      return Refuse("stop_token_ids", "stop token id " + std::to_string(id) +
                                          " is outside the model's vocabulary of " +
                                          std::to_string(vocab_size) + " tokens");
    }
  }
  return std::nullopt;
}

std::optional<Refused> CheckSampling(const SamplingParams& params, int vocab_size) {
  const auto refuse = [](const char* name, const std::string& value, const char* range) {
    return Refuse(name, std::string(name) + " is " + value + "; it must be " + range);
  };
  if (params.temperature && !(*params.temperature >= 0 && std::isfinite(*params.temperature))) {
    return refuse("temperature", Number(*params.temperature), "0 (greedy) or above");
  }
  if (params.top_p && !(*params.top_p > 0 && *params.top_p <= 1)) {
    return refuse("top_p", Number(*params.top_p), "above 0 and at most 1");
  }
  if (params.top_k && *params.top_k < -1) {
    return refuse("top_k", std::to_string(*params.top_k), "at least 1, or 0 or -1 for all tokens");
  }
  if (params.max_tokens && *params.max_tokens < 1) {
    return refuse("max_tokens", std::to_string(*params.max_tokens), "at least 1");
  }
  if (params.min_tokens < 0) {
    return refuse("min_tokens", std::to_string(params.min_tokens), "at least 0");
  }
  if (params.max_tokens && params.min_tokens > *params.max_tokens) {
    return refuse("min_tokens", std::to_string(params.min_tokens), "at most max_tokens");
  }
  return CheckStop(params, vocab_size);
}

// The words "maximum context length" are what clients look for to tell this error from others.
std::optional<Refused> CheckLength(size_t num_prompt_tokens, const std::optional<int>& max_tokens,
                                   int max_model_len, const char* param) {
  const auto limit = static_cast<size_t>(max_model_len);
  const size_t wanted = max_tokens ? static_cast<size_t>(*max_tokens) : 1;
  if (num_prompt_tokens + wanted <= limit) return std::nullopt;
  std::string message = "This model's maximum context length is " + std::to_string(limit) +
                        " tokens. However, your request has " +
                        std::to_string(num_prompt_tokens) + " input tokens";
  if (max_tokens && num_prompt_tokens < limit) {
    message += " and asks for " + std::to_string(wanted) + " output tokens (max_tokens), " +
               std::to_string(num_prompt_tokens + wanted) +
               " in total; shorten the input or lower max_tokens.";
  } else {
    message += " and needs room for at least one more; shorten the input.";
  }
  return Refuse(param, std::move(message), "context_length_exceeded");
}

// Which field of the request holds the prompt, in the API's words.
const char* PromptParam(const protocol::Generate& generate) {
  return generate.messages.is_null() ? "prompt" : "messages";
}

uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace

InputProcessor::InputProcessor(const Tokenizer* tokenizer, const ChatTemplate* chat_template,
                               Options options)
    : tokenizer_(tokenizer),
      chat_template_(chat_template),
      options_(std::move(options)),
      eos_token_ids_(options_.generation_config.eos_token_id) {
  const std::optional<int> eos = tokenizer->eos_token_id();
  const auto known = std::find(eos_token_ids_.begin(), eos_token_ids_.end(), eos);
  if (eos && known == eos_token_ids_.end()) {
    eos_token_ids_.push_back(*eos);
  }
}

std::variant<PreparedRequest, Refused> InputProcessor::Process(
    const protocol::Generate& generate) const {
  const auto refused = [&](Refused refusal) {
    refusal.request_id = generate.request_id;
    return refusal;
  };
  const SamplingParams& params = generate.sampling_params;
  if (auto refusal = CheckSampling(params, options_.vocab_size)) return refused(*refusal);
  auto prompt = TokenizePrompt(generate);
  if (auto* refusal = std::get_if<Refused>(&prompt)) return refused(*refusal);
  auto& prompt_ids = std::get<std::vector<int>>(prompt);
  const char* param = PromptParam(generate);
  if (prompt_ids.empty()) return refused(Refuse(param, "the prompt is empty; send some text"));
  if (auto refusal =
          CheckLength(prompt_ids.size(), params.max_tokens, options_.max_model_len, param)) {
    return refused(*refusal);
  }

  PreparedRequest prepared;
  prepared.sequence = MakeSequence(std::move(prompt_ids), params);
  prepared.sequence->request_id = generate.request_id;
  prepared.output = {.request_id = generate.request_id,
                     .num_prompt_tokens = prepared.sequence->num_prompt_tokens,
                     .min_tokens = params.min_tokens,
                     .stop = params.stop,
                     .include_stop_str_in_output = params.include_stop_str_in_output,
                     .queued_time_s = prepared.sequence->queued_time_s};
  return prepared;
}

std::variant<std::vector<int>, Refused> InputProcessor::TokenizePrompt(
    const protocol::Generate& generate) const {
  const int num_sources = !generate.messages.is_null() + generate.prompt.has_value() +
                          !generate.prompt_token_ids.empty();
  if (num_sources > 1) {
    return Refuse("prompt", "messages, prompt and prompt_token_ids exclude each other; send one");
  }
  if (generate.prompt) {
    return tokenizer_->AddSpecialTokens(tokenizer_->Encode(*generate.prompt, true));
  }
  if (generate.messages.is_null()) {
    for (const int id : generate.prompt_token_ids) {
      if (id < 0 || id >= options_.vocab_size) {
        return Refuse("prompt", "token id " + std::to_string(id) +
                                    " is outside the model's vocabulary of " +
                                    std::to_string(options_.vocab_size) + " tokens");
      }
    }
    return generate.prompt_token_ids;
  }
  if (chat_template_ == nullptr) {
    return Refuse("messages",
                  "the model has no chat template (chat_template.jinja or chat_template in "
                  "tokenizer_config.json); use /v1/completions with a prompt");
  }
  auto ids = EncodeChat(*tokenizer_, *chat_template_, generate.messages,
                        generate.chat_template_kwargs, generate.add_generation_prompt);
  if (!ids.ok()) return Refuse("messages", ids.status().message());
  return *std::move(ids);
}

std::unique_ptr<Sequence> InputProcessor::MakeSequence(std::vector<int> prompt,
                                                       const SamplingParams& params) const {
  const GenerationConfig& defaults = options_.generation_config;
  auto sequence = std::make_unique<Sequence>();
  sequence->num_prompt_tokens = static_cast<int>(prompt.size());
  sequence->max_tokens =
      params.max_tokens.value_or(options_.max_model_len - sequence->num_prompt_tokens);
  sequence->token_ids = std::move(prompt);
  // Decode shall not move the tokens to grow; a huge max_tokens is seldom used up, though.
  constexpr int kReservedTokens = 4096;
  sequence->token_ids.reserve(sequence->token_ids.size() +
                              static_cast<size_t>(std::min(sequence->max_tokens, kReservedTokens)));
  sequence->min_tokens = params.min_tokens;
  sequence->sampler = {
      .temperature = params.temperature.value_or(defaults.temperature.value_or(1.0)),
      .top_p = params.top_p.value_or(defaults.top_p.value_or(1.0)),
      .top_k = params.top_k.value_or(defaults.top_k.value_or(0)),
      .seed = params.seed ? static_cast<uint64_t>(*params.seed) : RandomSeed(),
  };
  if (!params.ignore_eos) sequence->eos_token_ids = eos_token_ids_;
  sequence->stop_token_ids = params.stop_token_ids;
  sequence->queued_time_s = MonotonicSeconds();
  return sequence;
}

}  // namespace hearth::engine
