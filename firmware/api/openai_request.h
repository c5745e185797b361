// From the body of an OpenAI request to a protocol::Generate, every field checked.
//
// Unknown fields are ignored, as vLLM does; a known field of the wrong type or out of its range is an
// error that names it; a field that asks for something this server does not do is an error too, unless
// it carries the value that changes nothing.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "engine/protocol/messages.h"

namespace hearth::api {

enum class Endpoint { kChatCompletions, kCompletions };

struct OpenAiRequest {
  Endpoint endpoint = Endpoint::kChatCompletions;
  std::string model;  // "" when omitted
  protocol::Generate generate;
  bool stream = false;
  bool include_usage = false;           // stream_options
  bool continuous_usage_stats = false;  // stream_options
  bool return_token_ids = false;        // vLLM's: choices carry the generated token_ids
};

// Always HTTP 400.
struct BadRequest {
  std::string message;
  std::string param;  // the field at fault; empty when it is the body as a whole
};

std::variant<OpenAiRequest, BadRequest> ParseOpenAiRequest(Endpoint endpoint, std::string_view body);

}  // namespace hearth::api
