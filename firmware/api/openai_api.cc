#include "firmware/api/openai_api.h"

#include <chrono>

#include "base/clock.h"
#include "firmware/api/openai_request.h"
#include "firmware/api/openai_response.h"
#include "firmware/http/sse.h"

namespace hearth::api {
namespace {

using models::EngineGone;
using models::StreamEvent;
using models::Ticket;
using protocol::Accepted;
using protocol::FinishedRequest;
using protocol::Refused;
using protocol::RequestDelta;

// How long a worker waits for the engine before it looks whether its client is still there.
constexpr std::chrono::duration<double> kClientCheck{0.1};

// One request on its way: owns the ticket, so that leaving early in any way aborts it.
class Conversation {
 public:
  Conversation(const http::Request& http_request, http::Response& response, OpenAiRequest request,
               std::string model, Ticket ticket, metrics::ServiceObserver* observer)
      : response_(response),
        request_(std::move(request)),
        writer_(request_.endpoint, http_request.request_id, model, WallMillis() / 1000),
        model_(std::move(model)),
        ticket_(std::move(ticket)),
        observer_(observer) {}

  void Run() {
    // Nothing is sent before the engine took the request: a refusal is an HTTP status, not a broken stream.
    const auto first = NextEvent();
    if (!first) return;
    if (const auto* refused = std::get_if<Refused>(&*first)) return SendRefusal(*refused);
    if (const auto* gone = std::get_if<EngineGone>(&*first)) return SendEngineGone(gone->message);
    if (const auto* accepted = std::get_if<Accepted>(&*first)) {
      usage_.prompt_tokens = accepted->num_prompt_tokens;
    }
    if (request_.stream) {
      Stream();
    } else {
      Collect();
    }
  }

 private:
  using Field = ResponseWriter::UsageField;

  // Waits for the next event; empty when the client has left.
  std::optional<StreamEvent> NextEvent() {
    while (true) {
      if (auto event = ticket_.Next(kClientCheck)) return event;
      if (response_.ClientGone()) {
        observer_->OnFailure(model_, "client_gone");
        return std::nullopt;
      }
    }
  }

  void SendRefusal(const Refused& refused) {
    const bool too_long = refused.code == "context_length_exceeded";
    observer_->OnFailure(model_, too_long ? "context_length_exceeded" : "invalid_request");
    http::SendStatus(response_, Status(static_cast<StatusCode>(refused.status_code), refused.message),
                     refused.param, refused.code);
  }

  void SendEngineGone(const std::string& message) {
    observer_->OnFailure(model_, "engine_died");
    http::SendError(response_, 503, message);
  }

  void CountTokens(const FinishedRequest& finished) {
    usage_.completion_tokens = finished.num_generation_tokens;
    usage_.cached_tokens = finished.num_cached_tokens;
  }

  void Collect() {
    std::vector<int> token_ids;
    ResponseWriter::Generated generated{"", request_.return_token_ids ? &token_ids : nullptr};
    while (const auto event = NextEvent()) {
      if (const auto* delta = std::get_if<RequestDelta>(&*event)) {
        generated.text += delta->text;
        token_ids.insert(token_ids.end(), delta->token_ids.begin(), delta->token_ids.end());
      } else if (const auto* finished = std::get_if<FinishedRequest>(&*event)) {
        CountTokens(*finished);
        if (finished->finish_reason == "error") {
          observer_->OnFailure(model_, "engine_error");
          return http::SendError(response_, 500, finished->error);
        }
        return response_.Send(200, "application/json",
                              DumpJson(writer_.Whole(generated, finished->finish_reason, usage_)));
      } else if (const auto* gone = std::get_if<EngineGone>(&*event)) {
        return SendEngineGone(gone->message);
      }
    }
  }

  Field UsageField() const {
    if (!request_.include_usage) return Field::kAbsent;
    return request_.continuous_usage_stats ? Field::kPresent : Field::kNull;
  }

  bool WriteChunk(const Json& chunk) { return http::SendEvent(response_, DumpJson(chunk)); }

  // The role goes out with the first token: a client's time to first token is a token's time.
  bool WriteDelta(const RequestDelta& delta) {
    usage_.completion_tokens += static_cast<int>(delta.token_ids.size());
    if (!role_sent_ && request_.endpoint == Endpoint::kChatCompletions) {
      role_sent_ = true;
      if (!WriteChunk(writer_.Role(UsageField(), usage_))) return false;
    }
    const ResponseWriter::Generated generated{
        delta.text, request_.return_token_ids ? &delta.token_ids : nullptr};
    if (delta.text.empty() && generated.token_ids == nullptr) return !response_.ClientGone();
    return WriteChunk(writer_.Delta(generated, UsageField(), usage_));
  }

  void EndStream(const std::string& error) {
    if (!error.empty()) http::SendEvent(response_, http::ErrorBody(503, error));
    response_.Write(http::kDoneEvent);
    response_.EndStream();
  }

  void Finish(const FinishedRequest& finished) {
    CountTokens(finished);
    if (finished.finish_reason == "error") {
      observer_->OnFailure(model_, "engine_error");
      return EndStream(finished.error);
    }
    if (!role_sent_ && request_.endpoint == Endpoint::kChatCompletions) {
      WriteChunk(writer_.Role(UsageField(), usage_));
    }
    WriteChunk(writer_.Finish(finished.finish_reason, UsageField(), usage_));
    if (request_.include_usage) WriteChunk(writer_.UsageOnly(usage_));
    EndStream("");
  }

  void Stream() {
    http::BeginEventStream(response_);
    while (const auto event = NextEvent()) {
      if (const auto* delta = std::get_if<RequestDelta>(&*event)) {
        if (!WriteDelta(*delta)) {
          observer_->OnFailure(model_, "client_gone");
          return;
        }
      } else if (const auto* finished = std::get_if<FinishedRequest>(&*event)) {
        return Finish(*finished);
      } else if (const auto* gone = std::get_if<EngineGone>(&*event)) {
        observer_->OnFailure(model_, "engine_died");
        return EndStream(gone->message);
      }
    }
  }

  http::Response& response_;
  const OpenAiRequest request_;
  const ResponseWriter writer_;
  const std::string model_;
  Ticket ticket_;
  metrics::ServiceObserver* const observer_;
  Usage usage_;
  bool role_sent_ = false;
};

void HandleCompletion(Endpoint endpoint, models::ModelManager* models,
                      metrics::ServiceObserver* observer, const http::Request& http_request,
                      http::Response& response) {
  auto parsed = ParseOpenAiRequest(endpoint, http_request.body);
  if (const auto* bad = std::get_if<BadRequest>(&parsed)) {
    observer->OnFailure("", "invalid_request");
    return http::SendError(response, 400, bad->message, bad->param);
  }
  auto& request = std::get<OpenAiRequest>(parsed);
  const auto model = models->Resolve(request.model);
  if (!model.ok()) {
    observer->OnFailure("", "model_not_found");
    return http::SendStatus(response, model.status(), "model", "model_not_found");
  }
  request.generate.arrival_time_s = http_request.arrival_time_s;
  auto ticket = models->Submit(*model, std::move(request.generate));
  if (!ticket.ok()) {
    observer->OnFailure(*model, "unavailable");
    return http::SendStatus(response, ticket.status());
  }
  Conversation(http_request, response, std::move(request), *model, std::move(ticket).value(), observer)
      .Run();
}

void HandleModels(const models::ModelManager& models, http::Response& response) {
  Json data = Json::array();
  for (const auto& model : models.Statuses()) {
    const int max_model_len = model.replica.ready.max_model_len;
    data.push_back(Json{{"id", model.model_name},
                        {"object", "model"},
                        {"created", static_cast<int64_t>(model.created_time_s)},
                        {"owned_by", "hearth"},
                        {"root", model.model_name},
                        {"parent", nullptr},
                        {"max_model_len", max_model_len > 0 ? Json(max_model_len) : Json(nullptr)},
                        {"permission", Json::array()}});
  }
  response.Send(200, "application/json",
                DumpJson(Json{{"object", "list"}, {"data", std::move(data)}}));
}

}  // namespace

std::vector<http::Route> OpenAiRoutes(models::ModelManager* models,
                                      metrics::ServiceObserver* observer) {
  const auto completion = [=](Endpoint endpoint) {
    return [=](const http::Request& request, http::Response& response) {
      HandleCompletion(endpoint, models, observer, request, response);
    };
  };
  return {
      {"POST", "/v1/chat/completions", http::Scope::kInfer, completion(Endpoint::kChatCompletions),
       true},
      {"POST", "/v1/completions", http::Scope::kInfer, completion(Endpoint::kCompletions), true},
      {"GET", "/v1/models", http::Scope::kInfer,
       [=](const http::Request&, http::Response& response) { HandleModels(*models, response); }},
  };
}

}  // namespace hearth::api
