// A conversation to the text, and the ids, that the model was trained to continue.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/text/segment.h"
#include "engine/text/tokenizer.h"

namespace hearth::engine {

// A model's chat template: the Jinja of Hugging Face (trim_blocks, lstrip_blocks, tojson without
// HTML escapes) under budgets of steps, bytes and depth. It reaches nothing but the variables it is
// given. Immutable and cheap to copy; Render may be called from any thread.
class ChatTemplate {
 public:
  // `special_tokens` are the model's own strings ("bos_token", "eos_token", ...), which the
  // template may print as control tokens. kInvalidArgument with the line for what is no template.
  static Result<ChatTemplate> Parse(std::string source, Json special_tokens = Json::object());

  // chat_template.jinja of a Hugging Face directory, or else "chat_template" of its
  // tokenizer_config.json: a string, or a list of {name, template} of which "default" is taken.
  // kNotFound when the model has none.
  static Result<ChatTemplate> LoadFromModel(const std::string& model_dir);

  // Renders with the variables of `context` (an object): messages, add_generation_prompt, tools,
  // ... All its strings are input, but for the known roles of messages. kInvalidArgument when the
  // template refuses the conversation (raise_exception) or cannot handle it, kResourceExhausted
  // when a budget is spent; both name the template's line.
  Result<std::vector<Segment>> Render(const Json& context) const;

  const std::string& source() const;
  const Json& special_tokens() const;

 private:
  struct Parsed;
  explicit ChatTemplate(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}

  std::shared_ptr<const Parsed> parsed_;
};

// The ids of a prompt for OpenAI's `messages` (content: a string, null beside tool_calls, or a list
// of {"type": "text", "text": ...} parts, joined by line breaks). `kwargs` are further variables of
// the template: tools and chat_template_kwargs. Text of users and tools yields no special tokens.
// Errors name messages[i].content and the like.
Result<std::vector<int>> EncodeChat(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                    const Json& messages, const Json& kwargs,
                                    bool add_generation_prompt);

// The variables that EncodeChat renders with, after its checks.
Result<Json> ChatContext(const ChatTemplate& chat_template, const Json& messages,
                         const Json& kwargs, bool add_generation_prompt);

}  // namespace hearth::engine
