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

// What the service needs to watch requests; outlives every request.
struct Watch {
  models::ModelManager* models;
  metrics::RequestLedger* ledger;
};

// One request on its way: owns the ticket, so that leaving early in any way aborts it, and the entry in
// the ledger, which ends exactly once.
class Conversation {
 public:
  Conversation(const http::Request& http_request, http::Response& response, OpenAiRequest request,
               std::string model, Ticket ticket, metrics::RequestLedger::Entry entry,
               metrics::ServiceObserver* observer)
      : http_request_(http_request),
        response_(response),
        request_(std::move(request)),
        writer_(request_.endpoint, http_request.request_id, model, WallMillis() / 1000),
        placed_time_s_(MonotonicSeconds()),
        ticket_(std::move(ticket)),
        entry_(std::move(entry)),
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

  double SinceArrival() const { return MonotonicSeconds() - http_request_.arrival_time_s; }

  // The client sees `http_status`; a stream that has begun breaks off under its 200.
  void Fail(std::string_view reason, int http_status) {
    entry_.Failed(reason);
    observer_->OnErrorAnswer(http_request_.path, http_request_.method, http_status);
  }

  // Waits for the next event; empty when the client has left.
  std::optional<StreamEvent> NextEvent() {
    while (true) {
      if (auto event = ticket_.Next(kClientCheck)) return event;
      if (response_.ClientGone()) {
        Fail("client_gone", 499);
        return std::nullopt;
      }
    }
  }

  void SendRefusal(const Refused& refused) {
    const bool too_long = refused.code == "context_length_exceeded";
    const Status status(static_cast<StatusCode>(refused.status_code), refused.message);
    const bool overloaded = status.code() == StatusCode::kResourceExhausted;
    Fail(too_long ? "context_length_exceeded" : overloaded ? "overloaded" : "invalid_request",
         http::HttpStatusOf(status));
    http::SendStatus(response_, status, refused.param, refused.code);
  }

  void SendEngineGone(const std::string& message) {
    Fail("engine_died", 503);
    http::SendError(response_, 503, message);
  }

  // Has the engine given up on the request? Then the entry has ended.
  bool EndedBadly(const FinishedRequest& finished) {
    usage_.completion_tokens = finished.num_generation_tokens;
    usage_.cached_tokens = finished.num_cached_tokens;
    if (finished.finish_reason == "error") {
      Fail("engine_error", 500);
      return true;
    }
    if (finished.finish_reason == "abort") {  // an engine that shuts down
      Fail("engine_died", 503);
      return true;
    }
    return false;
  }

  void Collect() {
    std::vector<int> token_ids;
    ResponseWriter::Generated generated{"", request_.return_token_ids ? &token_ids : nullptr};
    while (const auto event = NextEvent()) {
      if (const auto* delta = std::get_if<RequestDelta>(&*event)) {
        generated.text += delta->text;
        token_ids.insert(token_ids.end(), delta->token_ids.begin(), delta->token_ids.end());
      } else if (const auto* finished = std::get_if<FinishedRequest>(&*event)) {
        if (EndedBadly(*finished)) return http::SendError(response_, 500, WhatEndedIt(*finished));
        entry_.Answered(finished->finish_reason);
        return response_.Send(200, "application/json",
                              DumpJson(writer_.Whole(generated, finished->finish_reason, usage_)));
      } else if (const auto* gone = std::get_if<EngineGone>(&*event)) {
        return SendEngineGone(gone->message);
      }
    }
  }

  static std::string WhatEndedIt(const FinishedRequest& finished) {
    return finished.error.empty() ? "the engine shut down while it worked on this request; try again"
                                  : finished.error;
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
    if (!WriteChunk(writer_.Delta(generated, UsageField(), usage_))) return false;
    NoteChunk();
    return true;
  }

  void NoteChunk() {
    const double now_s = MonotonicSeconds();
    if (last_chunk_time_s_ == 0) {
      observer_->OnFirstChunk(now_s - http_request_.arrival_time_s, http_request_.request_id);
    } else {
      observer_->OnLaterChunk(now_s - last_chunk_time_s_);
    }
    last_chunk_time_s_ = now_s;
  }

  void EndStream(const std::string& error) {
    if (!error.empty()) http::SendEvent(response_, http::ErrorBody(503, error));
    response_.Write(http::kDoneEvent);
    response_.EndStream();
    observer_->OnStreamEnded(SinceArrival());
  }

  void Finish(const FinishedRequest& finished) {
    if (EndedBadly(finished)) return EndStream(WhatEndedIt(finished));
    entry_.Answered(finished.finish_reason);
    if (!role_sent_ && request_.endpoint == Endpoint::kChatCompletions) {
      WriteChunk(writer_.Role(UsageField(), usage_));
    }
    WriteChunk(writer_.Finish(finished.finish_reason, UsageField(), usage_));
    if (request_.include_usage) WriteChunk(writer_.UsageOnly(usage_));
    EndStream("");
  }

  void Stream() {
    http::BeginEventStream(response_);
    observer_->OnStreamStarted(placed_time_s_ - http_request_.arrival_time_s);
    while (const auto event = NextEvent()) {
      if (const auto* delta = std::get_if<RequestDelta>(&*event)) {
        if (!WriteDelta(*delta)) return Fail("client_gone", 499);
      } else if (const auto* finished = std::get_if<FinishedRequest>(&*event)) {
        return Finish(*finished);
      } else if (const auto* gone = std::get_if<EngineGone>(&*event)) {
        Fail("engine_died", 503);
        return EndStream(gone->message);
      }
    }
  }

  const http::Request& http_request_;
  http::Response& response_;
  const OpenAiRequest request_;
  const ResponseWriter writer_;
  const double placed_time_s_;
  Ticket ticket_;
  metrics::RequestLedger::Entry entry_;
  metrics::ServiceObserver* const observer_;
  Usage usage_;
  bool role_sent_ = false;
  double last_chunk_time_s_ = 0;
};

void HandleCompletion(Endpoint endpoint, const Watch& watch, const http::Request& http_request,
                      http::Response& response) {
  auto parsed = ParseOpenAiRequest(endpoint, http_request.body);
  if (const auto* bad = std::get_if<BadRequest>(&parsed)) {
    watch.ledger->Begin("").Failed("invalid_request");
    return http::SendError(response, 400, bad->message, bad->param);
  }
  auto& request = std::get<OpenAiRequest>(parsed);
  const auto model = watch.models->Resolve(request.model);
  if (!model.ok()) {
    watch.ledger->Begin("").Failed("model_not_found");
    return http::SendStatus(response, model.status(), "model", "model_not_found");
  }
  auto entry = watch.ledger->Begin(*model);
  metrics::ServiceObserver& observer = watch.models->ObserverOf(*model);
  observer.OnRouted(http_request.path);
  request.generate.arrival_time_s = http_request.arrival_time_s;
  metrics::RequestFacts facts;
  facts.arrival_time_s = http_request.arrival_time_s;
  facts.http_request_id = http_request.request_id;
  facts.route = http_request.path;
  facts.max_tokens = request.generate.sampling_params.max_tokens;
  auto ticket = watch.models->Submit(*model, std::move(request.generate), std::move(facts));
  if (!ticket.ok()) {
    const bool full = ticket.status().code() == StatusCode::kResourceExhausted;
    entry.Failed(full ? "overloaded" : "unavailable");
    observer.OnErrorAnswer(http_request.path, http_request.method,
                           http::HttpStatusOf(ticket.status()));
    return http::SendStatus(response, ticket.status());
  }
  Conversation(http_request, response, std::move(request), *model, std::move(ticket).value(),
               std::move(entry), &observer)
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
                                      metrics::RequestLedger* ledger) {
  const Watch watch{models, ledger};
  const auto completion = [=](Endpoint endpoint) {
    return [=](const http::Request& request, http::Response& response) {
      HandleCompletion(endpoint, watch, request, response);
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
