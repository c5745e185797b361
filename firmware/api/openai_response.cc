#include "firmware/api/openai_response.h"

namespace hearth::api {
namespace {

Json UsageJson(const Usage& usage) {
  return Json{{"prompt_tokens", usage.prompt_tokens},
              {"completion_tokens", usage.completion_tokens},
              {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
              {"prompt_tokens_details", Json{{"cached_tokens", usage.cached_tokens}}}};
}

}  // namespace

Json LostRequestBody(const LostRequest& lost) {
  return Json{{"error", Json{{"message", lost.message},
                             {"type", lost.is_quarantined ? "invalid_request_error"
                                                          : "engine_restarted"},
                             {"param", nullptr},
                             {"code", lost.is_quarantined ? Json("request_quarantined")
                                                          : Json(503)},
                             {"request_id", lost.request_id},
                             {"generated_tokens", lost.generated_tokens}}}};
}

ResponseWriter::ResponseWriter(Endpoint endpoint, std::string_view request_id, std::string model,
                               int64_t created_s)
    : endpoint_(endpoint),
      id_((endpoint == Endpoint::kChatCompletions ? "chatcmpl-" : "cmpl-") +
          std::string(request_id)),
      model_(std::move(model)),
      created_s_(created_s) {}

Json ResponseWriter::Whole(const Generated& generated, const std::string& finish_reason,
                           const Usage& usage) const {
  Json choice{{"index", 0}};
  if (chat()) {
    choice["message"] = Json{{"role", "assistant"}, {"content", generated.text}};
  } else {
    choice["text"] = generated.text;
  }
  if (generated.token_ids != nullptr) choice["token_ids"] = *generated.token_ids;
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish_reason;
  return Json{{"id", id_},
              {"object", chat() ? "chat.completion" : "text_completion"},
              {"created", created_s_},
              {"model", model_},
              {"choices", Json::array({std::move(choice)})},
              {"usage", UsageJson(usage)}};
}

Json ResponseWriter::Chunk(Json choices, UsageField field, const Usage& usage) const {
  Json chunk{{"id", id_},
             {"object", chat() ? "chat.completion.chunk" : "text_completion"},
             {"created", created_s_},
             {"model", model_},
             {"choices", std::move(choices)}};
  if (field == UsageField::kNull) chunk["usage"] = nullptr;
  if (field == UsageField::kPresent) chunk["usage"] = UsageJson(usage);
  return chunk;
}

Json ResponseWriter::Choice(Json content, Json finish_reason) const {
  Json choice{{"index", 0}};
  choice[chat() ? "delta" : "text"] = std::move(content);
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = std::move(finish_reason);
  return Json::array({std::move(choice)});
}

Json ResponseWriter::Role(UsageField field, const Usage& usage) const {
  return Chunk(Choice(Json{{"role", "assistant"}, {"content", ""}}, nullptr), field, usage);
}

Json ResponseWriter::Delta(const Generated& generated, UsageField field,
                           const Usage& usage) const {
  Json choices =
      Choice(chat() ? Json{{"content", generated.text}} : Json(generated.text), nullptr);
  if (generated.token_ids != nullptr) choices[0]["token_ids"] = *generated.token_ids;
  return Chunk(std::move(choices), field, usage);
}

Json ResponseWriter::Finish(const std::string& finish_reason, UsageField field,
                            const Usage& usage) const {
  return Chunk(Choice(chat() ? Json::object() : Json(""), finish_reason), field, usage);
}

Json ResponseWriter::UsageOnly(const Usage& usage) const {
  return Chunk(Json::array(), UsageField::kPresent, usage);
}

}  // namespace hearth::api
