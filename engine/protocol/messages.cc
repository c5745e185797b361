#include "engine/protocol/messages.h"

#include <array>
#include <utility>

namespace hearth::protocol {
namespace {

// The names on the wire, in the order of Message's alternatives.
constexpr std::array<const char*, std::variant_size_v<Message>> kTypeNames = {
    "load",    "generate", "abort",    "shutdown", "progress",   "ready",
    "planned", "failed",   "accepted", "refused",  "step_output"};

template <size_t index>
Result<Message> DecodeAs(const Json& json) {
  auto value = FromJson<std::variant_alternative_t<index, Message>>(json);
  if (!value.ok()) return value.status().WithContext(kTypeNames[index]);
  return Message(std::in_place_index<index>, std::move(value).value());
}

template <size_t... indices>
Result<Message> DecodeNamed(const std::string& type, const Json& json,
                            std::index_sequence<indices...>) {
  Result<Message> result = InvalidArgument("unknown message type '" + type + "'");
  (void)((type == kTypeNames[indices] && (result = DecodeAs<indices>(json), true)) || ...);
  return result;
}

}  // namespace

std::vector<uint8_t> EncodeMessage(const Message& message) {
  Json json = std::visit([](const auto& value) { return ToJson(value); }, message);
  json["type"] = kTypeNames[message.index()];
  return DumpCbor(json);
}

Result<Message> DecodeMessage(std::span<const uint8_t> bytes) {
  HEARTH_ASSIGN_OR_RETURN(const Json json, ParseCbor(bytes));
  const auto type = json.find("type");
  if (!json.is_object() || type == json.end() || !type->is_string()) {
    return InvalidArgument("a message must be an object with a string 'type'");
  }
  return DecodeNamed(type->get<std::string>(), json,
                     std::make_index_sequence<std::variant_size_v<Message>>());
}

}  // namespace hearth::protocol
