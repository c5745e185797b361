#include "engine/text/chat_template.h"

#include <algorithm>
#include <array>

#include "engine/text/jinja_eval.h"
#include "engine/text/jinja_methods.h"
#include "engine/text/jinja_parser.h"
#include "engine/text/tokenizer_json.h"

namespace hearth::engine {
namespace {

using jinja::Value;

// The longest template of 146 collected ones has 16 KB.
constexpr size_t kTemplateBytesMax = size_t{1} << 20;
constexpr size_t kConfigBytesMax = size_t{64} << 20;

constexpr std::array<std::string_view, 7> kRoles = {"system", "developer", "user",   "assistant",
                                                    "tool",   "function",  "ipython"};
constexpr std::array<const char*, 7> kSpecialTokens = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

bool IsKnownRole(const Json& role) {
  return role.is_string() && std::find(kRoles.begin(), kRoles.end(),
                                       role.get_ref<const std::string&>()) != kRoles.end();
}

// Every string in it is marked as input when `is_input`.
Value ToValue(const Json& json, bool is_input) {
  switch (json.type()) {
    case Json::value_t::boolean: return Value(json.get<bool>());
    case Json::value_t::number_integer: return Value(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const auto number = json.get<uint64_t>();
      if (number > INT64_MAX) return Value(static_cast<double>(number));
      return Value(static_cast<int64_t>(number));
    }
    case Json::value_t::number_float: return Value(json.get<double>());
    case Json::value_t::string: return Value(jinja::Text(json.get<std::string>(), is_input));
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& item : json) items.push_back(ToValue(item, is_input));
      return Value::MakeList(std::move(items));
    }
    case Json::value_t::object: {
      jinja::Dict dict;
      for (const auto& [key, item] : json.items()) {
        dict.Set(Value(jinja::Text(key, is_input)), ToValue(item, is_input));
      }
      return Value::MakeDict(std::move(dict));
    }
    default: return Value(jinja::None{});
  }
}

// A known role is a word of ours, so a template may build a control token from it
// ('<|' + message.role + '|>'); everything else in a message is input.
Value MessageValue(const Json& message) {
  if (!message.is_object()) return ToValue(message, /*is_input=*/true);
  jinja::Dict dict;
  for (const auto& [key, item] : message.items()) {
    const bool is_input = key != "role" || !IsKnownRole(item);
    dict.Set(key, ToValue(item, is_input));
  }
  return Value::MakeDict(std::move(dict));
}

Value VariableValue(const std::string& name, const Json& json) {
  if (name != "messages" || !json.is_array()) return ToValue(json, /*is_input=*/true);
  std::vector<Value> messages;
  for (const Json& message : json) messages.push_back(MessageValue(message));
  return Value::MakeList(std::move(messages));
}

Status ToStatus(const jinja::Error& error) { return Status(error.code(), error.what()); }

Result<std::string> TemplateOfConfig(const Json& config, const std::string& path) {
  const auto entry = config.find("chat_template");
  if (entry == config.end() || entry->is_null()) {
    return NotFound(path +
                    " has no chat_template and there is no chat_template.jinja beside it; the "
                    "model can complete prompts but not chat");
  }
  if (entry->is_string()) return entry->get<std::string>();
  if (!entry->is_array()) {
    return InvalidArgument(path + ": chat_template must be a string or a list of {name, template}");
  }
  std::string names;
  for (const Json& named : *entry) {
    const bool complete = named.is_object() && named.contains("name") &&
                          named["name"].is_string() && named.contains("template") &&
                          named["template"].is_string();
    if (!complete) {
      return InvalidArgument(path + ": an entry of chat_template lacks its name or its template");
    }
    if (named["name"] == "default") return named["template"].get<std::string>();
    names += (names.empty() ? "" : ", ") + named["name"].get<std::string>();
  }
  return InvalidArgument(path + ": chat_template has no entry \"default\", only: " + names);
}

// ---- checking messages -------------------------------------------------------------------------

Status Wrong(const std::string& where, const std::string& expected, const Json& found) {
  return InvalidArgument(where + " must be " + expected + ", not " + found.type_name());
}

// The text of a list of content parts.
Result<std::string> JoinParts(const Json& parts, const std::string& where) {
  std::string text;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string part_at = where + "[" + std::to_string(i) + "]";
    const Json& part = parts[i];
    if (!part.is_object()) return Wrong(part_at, "an object", part);
    const auto type = part.find("type");
    if (type == part.end() || !type->is_string()) {
      return InvalidArgument(part_at + ".type is missing; it must be \"text\"");
    }
    if (*type != "text") {
      return InvalidArgument(part_at + ".type is \"" + type->get<std::string>() +
                             "\"; this model takes only \"text\"");
    }
    const auto content = part.find("text");
    if (content == part.end() || !content->is_string()) {
      return InvalidArgument(part_at + ".text must be a string");
    }
    if (i > 0) text += "\n";
    text += content->get<std::string>();
  }
  return text;
}

// OpenAI's arguments are JSON in a string; templates print them with tojson, so they need the
// value.
void ParseToolArguments(Json& message) {
  const auto calls = message.find("tool_calls");
  if (calls == message.end() || !calls->is_array()) return;
  for (Json& call : *calls) {
    if (!call.is_object() || !call.contains("function")) continue;
    Json& function = call["function"];
    if (!function.is_object() || !function.contains("arguments")) continue;
    Json& arguments = function["arguments"];
    if (!arguments.is_string()) continue;
    Result<Json> parsed = ParseJson(arguments.get_ref<const std::string&>());
    if (parsed.ok() && parsed->is_object()) arguments = *std::move(parsed);
  }
}

Result<Json> CheckedMessage(const Json& message, const std::string& where) {
  if (!message.is_object()) return Wrong(where, "an object", message);
  Json checked = message;
  const auto role = checked.find("role");
  if (role == checked.end()) return InvalidArgument(where + ".role is missing");
  if (!role->is_string()) return Wrong(where + ".role", "a string", *role);
  if (!IsKnownRole(*role)) {
    return InvalidArgument(where + ".role is \"" + role->get<std::string>() +
                           "\"; known roles: system, developer, user, assistant, tool, function");
  }
  const auto calls = checked.find("tool_calls");
  if (calls != checked.end() && calls->is_null()) checked.erase("tool_calls");
  const bool has_calls = checked.contains("tool_calls") && !checked["tool_calls"].empty();

  const auto content = checked.find("content");
  const std::string content_at = where + ".content";
  if (content == checked.end() || content->is_null()) {
    if (!has_calls) return InvalidArgument(content_at + " is missing; it must be a string");
    checked["content"] = "";
  } else if (content->is_array()) {
    HEARTH_ASSIGN_OR_RETURN(std::string text, JoinParts(*content, content_at));
    *content = std::move(text);
  } else if (!content->is_string()) {
    return Wrong(content_at, "a string or a list of parts", *content);
  }
  ParseToolArguments(checked);
  return checked;
}

// A system message written in OpenAI's newer word would be dropped silently by templates that do
// not know it.
void RenameDeveloper(const ChatTemplate& chat_template, Json& message) {
  const bool known = chat_template.source().find("developer") != std::string::npos;
  if (!known && message["role"] == "developer") message["role"] = "system";
}

}  // namespace

struct ChatTemplate::Parsed {
  std::string source;
  Json special_tokens;
  jinja::Body body;
};

Result<ChatTemplate> ChatTemplate::Parse(std::string source, Json special_tokens) {
  if (source.size() > kTemplateBytesMax) {
    return ResourceExhausted("the chat template has " + std::to_string(source.size()) +
                             " bytes; the limit is " + std::to_string(kTemplateBytesMax));
  }
  try {
    jinja::Body body = jinja::ParseTemplate(source);
    return ChatTemplate(std::make_shared<const Parsed>(
        Parsed{std::move(source), std::move(special_tokens), std::move(body)}));
  } catch (const jinja::Error& error) {
    return ToStatus(error).WithContext("chat template");
  }
}

Result<ChatTemplate> ChatTemplate::LoadFromModel(const std::string& model_dir) {
  const std::string config_path = model_dir + "/tokenizer_config.json";
  const std::string jinja_path = model_dir + "/chat_template.jinja";
  Json config = Json::object();
  Result<std::string> config_text = ReadModelFile(config_path, kConfigBytesMax);
  if (config_text.ok()) {
    Result<Json> parsed = ParseJson(*config_text);
    if (!parsed.ok()) return parsed.status().WithContext(config_path);
    if (!parsed->is_object()) return InvalidArgument(config_path + " is not a JSON object");
    config = *std::move(parsed);
  } else if (config_text.status().code() != StatusCode::kNotFound) {
    return config_text.status();
  }

  Json special_tokens = Json::object();
  for (const char* name : kSpecialTokens) {
    const Result<std::string> token = SpecialTokenContent(config, name);
    if (!token.ok()) return token.status().WithContext(config_path);
    if (!token->empty()) special_tokens[name] = *token;
  }

  Result<std::string> source = ReadModelFile(jinja_path, kTemplateBytesMax);
  std::string origin = jinja_path;
  if (!source.ok() && source.status().code() == StatusCode::kNotFound) {
    source = TemplateOfConfig(config, config_path);
    origin = config_path;
  }
  if (!source.ok()) return source.status();
  Result<ChatTemplate> chat_template = Parse(*std::move(source), std::move(special_tokens));
  if (!chat_template.ok()) return chat_template.status().WithContext(origin);
  return chat_template;
}

Result<std::vector<Segment>> ChatTemplate::Render(const Json& context) const {
  try {
    jinja::Variables variables;
    for (const auto& [name, json] : context.items()) {
      variables.insert_or_assign(name, VariableValue(name, json));
    }
    for (const auto& [name, token] : parsed_->special_tokens.items()) {
      variables.insert_or_assign(name, ToValue(token, /*is_input=*/false));
    }
    return jinja::RenderTemplate(parsed_->body, std::move(variables)).Segments();
  } catch (const jinja::Error& error) {
    return ToStatus(error);
  }
}

const std::string& ChatTemplate::source() const { return parsed_->source; }
const Json& ChatTemplate::special_tokens() const { return parsed_->special_tokens; }

Result<Json> ChatContext(const ChatTemplate& chat_template, const Json& messages,
                         const Json& kwargs, bool add_generation_prompt) {
  if (!messages.is_array()) return Wrong("messages", "a list", messages);
  if (messages.empty()) return InvalidArgument("messages is empty; it needs at least one message");
  // As in transformers, these are None rather than undefined.
  Json context = {{"tools", nullptr}, {"documents", nullptr}};
  if (!kwargs.is_null() && !kwargs.is_object()) {
    return Wrong("chat_template_kwargs", "an object", kwargs);
  }
  for (const auto& [name, value] : kwargs.items()) {
    const bool is_ours =
        name == "messages" || name == "add_generation_prompt" || jinja::IsGlobalFunction(name) ||
        std::find(kSpecialTokens.begin(), kSpecialTokens.end(), name) != kSpecialTokens.end();
    if (is_ours) return InvalidArgument("chat_template_kwargs." + name + " cannot be set");
    context[name] = value;
  }
  Json checked = Json::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    HEARTH_ASSIGN_OR_RETURN(Json message,
                            CheckedMessage(messages[i], "messages[" + std::to_string(i) + "]"));
    RenameDeveloper(chat_template, message);
    checked.push_back(std::move(message));
  }
  context["messages"] = std::move(checked);
  context["add_generation_prompt"] = add_generation_prompt;
  return context;
}

Result<std::vector<int>> EncodeChat(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                                    const Json& messages, const Json& kwargs,
                                    bool add_generation_prompt) {
  HEARTH_ASSIGN_OR_RETURN(const Json context,
                          ChatContext(chat_template, messages, kwargs, add_generation_prompt));
  HEARTH_ASSIGN_OR_RETURN(const std::vector<Segment> segments, chat_template.Render(context));
  return tokenizer.Encode(segments);
}

}  // namespace hearth::engine
