#include "firmware/api/openai_request.h"

#include <cmath>
#include <limits>

#include "base/limits.h"
#include "firmware/api/field_reader.h"

namespace hearth::api {
namespace {

constexpr int64_t kIntMax = std::numeric_limits<int>::max();

void ReadSampling(FieldReader& reader, protocol::SamplingParams& sampling) {
  reader.Number("temperature", sampling.temperature, 0, 2);
  reader.Number("top_p", sampling.top_p, 0, 1);
  if (sampling.top_p == 0.0) {
    reader.Fail("top_p", "'top_p' is 0; it must be above 0 and at most 1 (temperature 0 is greedy)");
  }
  reader.Integer("top_k", sampling.top_k, -1, kIntMax);
  reader.Integer("seed", sampling.seed, std::numeric_limits<int64_t>::min(),
                 std::numeric_limits<int64_t>::max());
  reader.Integer("max_tokens", sampling.max_tokens, 1, kIntMax);
  reader.Integer("max_completion_tokens", sampling.max_tokens, 1, kIntMax);  // the newer name wins
  reader.Integer("min_tokens", sampling.min_tokens, 0, kIntMax);
  reader.Bool("ignore_eos", sampling.ignore_eos);
  reader.Bool("include_stop_str_in_output", sampling.include_stop_str_in_output);
  reader.StringOrList("stop", sampling.stop, limits::kStopStringsMax, limits::kStopStringBytesMax);
  reader.IntegerList("stop_token_ids", sampling.stop_token_ids);
}

void RefuseWhatIsNotOffered(FieldReader& reader) {
  reader.OnlyNeutral("n", {1});
  reader.OnlyNeutral("best_of", {1});
  reader.OnlyNeutral("logprobs", {false});
  reader.OnlyNeutral("top_logprobs", {0});
  reader.OnlyNeutral("prompt_logprobs", {});
  reader.OnlyNeutral("echo", {false});
  reader.OnlyNeutral("suffix", {""});
  reader.OnlyNeutral("logit_bias", {Json::object()});
  reader.OnlyNeutral("presence_penalty", {0});
  reader.OnlyNeutral("frequency_penalty", {0});
  reader.OnlyNeutral("repetition_penalty", {1});
  reader.OnlyNeutral("min_p", {0});
  reader.OnlyNeutral("use_beam_search", {false});
  reader.OnlyNeutral("tools", {Json::array()});
  reader.OnlyNeutral("tool_choice", {"none", "auto"});
  reader.OnlyNeutral("response_format", {Json{{"type", "text"}}});
  reader.OnlyNeutral("structured_outputs", {});
  reader.OnlyNeutral("guided_json", {});
  reader.OnlyNeutral("guided_regex", {});
  reader.OnlyNeutral("guided_choice", {});
  reader.OnlyNeutral("guided_grammar", {});
  reader.OnlyNeutral("continue_final_message", {false});
  reader.OnlyNeutral("truncate_prompt_tokens", {});
  reader.OnlyNeutral("skip_special_tokens", {true});
}

void ReadStreamOptions(FieldReader& reader, OpenAiRequest& request) {
  reader.Bool("stream", request.stream);
  const Json* options = reader.Find("stream_options");
  if (options == nullptr) return;
  if (!options->is_object()) {
    return reader.Fail("stream_options", "'stream_options' must be an object");
  }
  if (!request.stream) {
    return reader.Fail("stream_options", "'stream_options' is only allowed with \"stream\": true");
  }
  FieldReader inner(*options, "stream_options.");
  inner.Bool("include_usage", request.include_usage);
  inner.Bool("continuous_usage_stats", request.continuous_usage_stats);
  if (inner.error()) reader.Fail(inner.error()->param, inner.error()->message);
}

void ReadMessages(FieldReader& reader, protocol::Generate& generate) {
  const Json* messages = reader.Find("messages");
  if (messages == nullptr || !messages->is_array() || messages->empty()) {
    return reader.Fail("messages", "'messages' must be a list with at least one message");
  }
  for (size_t i = 0; i < messages->size(); ++i) {
    const Json& message = (*messages)[i];
    const std::string name = "messages[" + std::to_string(i) + "]";
    if (!message.is_object()) return reader.Fail(name, "'" + name + "' must be an object");
    const auto role = message.find("role");
    if (role == message.end() || !role->is_string()) {
      return reader.Fail(name + ".role", "'" + name + ".role' must be a string such as \"user\"");
    }
  }
  generate.messages = *messages;
  reader.Bool("add_generation_prompt", generate.add_generation_prompt);
  if (const Json* kwargs = reader.Find("chat_template_kwargs")) {
    if (!kwargs->is_object()) {
      return reader.Fail("chat_template_kwargs", "'chat_template_kwargs' must be an object");
    }
    generate.chat_template_kwargs = *kwargs;
  }
}

bool IsTokenIdList(const Json& value) {
  if (!value.is_array() || value.empty()) return false;
  for (const Json& item : value) {
    if (!item.is_number_integer()) return false;
  }
  return true;
}

// A string, a list of token ids, or a list of exactly one of these.
void ReadPrompt(FieldReader& reader, protocol::Generate& generate) {
  constexpr const char* kExpected =
      "'prompt' must be a string or a list of token ids, or a list with one of these";
  const Json* prompt = reader.Find("prompt");
  if (prompt == nullptr) return reader.Fail("prompt", kExpected);
  if (prompt->is_array() && !prompt->empty() && !IsTokenIdList(*prompt)) {
    if (prompt->size() > 1) {
      return reader.Fail("prompt", "'prompt' holds " + std::to_string(prompt->size()) +
                                       " prompts; send one request for each");
    }
    prompt = &prompt->front();
  }
  if (prompt->is_string()) {
    generate.prompt = prompt->get<std::string>();
  } else if (IsTokenIdList(*prompt)) {
    for (const Json& item : *prompt) {
      const int64_t id = item.get<int64_t>();
      if (id < 0 || id > kIntMax) {
        return reader.Fail("prompt", "token id " + std::to_string(id) + " is out of range");
      }
      generate.prompt_token_ids.push_back(static_cast<int>(id));
    }
  } else {
    reader.Fail("prompt", kExpected);
  }
}

}  // namespace

std::variant<OpenAiRequest, BadRequest> ParseOpenAiRequest(Endpoint endpoint,
                                                           std::string_view body) {
  auto parsed = ParseJson(body);
  if (!parsed.ok()) return BadRequest{parsed.status().message(), ""};
  if (!parsed->is_object()) return BadRequest{"the body must be a JSON object", ""};

  OpenAiRequest request;
  request.endpoint = endpoint;
  FieldReader reader(*parsed);
  reader.String("model", request.model);
  if (endpoint == Endpoint::kChatCompletions) {
    ReadMessages(reader, request.generate);
  } else {
    ReadPrompt(reader, request.generate);
  }
  ReadSampling(reader, request.generate.sampling_params);
  ReadStreamOptions(reader, request);
  reader.Bool("return_token_ids", request.return_token_ids);
  RefuseWhatIsNotOffered(reader);
  if (reader.error()) return *reader.error();
  return request;
}

}  // namespace hearth::api
