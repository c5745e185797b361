#include "firmware/api/openai_api.h"

#include <chrono>
#include <cmath>

#include "base/clock.h"
#include "firmware/api/openai_request.h"
#include "firmware/api/openai_response.h"
#include "firmware/api/request_log.h"
#include "firmware/http/sse.h"

namespace hearth::api {
namespace {

using models::EngineGone;
using models::Quarantined;
using models::StreamEvent;
using models::Ticket;
using protocol::Accepted;
using protocol::FinishedRequest;
using protocol::Refused;
using protocol::RequestDelta;

// How long a worker waits for the engine before it looks whether its client is still there.
constexpr std::chrono::duration<double> kClientCheck{0.1};

// What is noted of a client that left before its answer; never sent.
constexpr int kStatusClientLeft = 499;

// What the service needs to watch requests; outlives every request.
struct Watch {
  models::ModelManager* models;
  metrics::RequestLedger* ledger;
  RequestLog* log;
};

double MillisBetween(double from_s, double to_s) { return std::round((to_s - from_s) * 1e6) / 1e3; }

// Where the request's time went, by the engine's own stamps; one that ended early has not all.
void NoteTimes(const FinishedRequest& finished, double arrival_time_s, RequestNote& note) {
  note->prompt_tokens = finished.num_prompt_tokens;
  note->cached_tokens = finished.num_cached_tokens;
  note->generation_tokens = finished.num_generation_tokens;
  note->preemptions = finished.num_preemptions;
  if (finished.queued_time_s == 0) return;
  note->accept_ms = MillisBetween(arrival_time_s, finished.queued_time_s);
  if (finished.scheduled_time_s == 0) return;
  note->queue_ms = MillisBetween(finished.queued_time_s, finished.scheduled_time_s);
  if (finished.first_token_time_s == 0) return;
  note->prefill_ms = MillisBetween(finished.scheduled_time_s, finished.first_token_time_s);
  note->decode_ms = MillisBetween(finished.first_token_time_s, finished.last_token_time_s);
}

// One request on its way: owns the ticket, so that leaving early in any way aborts it, and the entry in
// the ledger, which ends exactly once.
class Conversation {
 public:
  Conversation(const http::Request& http_request, http::Response& response, OpenAiRequest request,
               std::string model, Ticket ticket, metrics::RequestLedger::Entry entry,
               metrics::ServiceObserver* observer, RequestNote& note)
      : http_request_(http_request),
        response_(response),
        request_(std::move(request)),
        writer_(request_.endpoint, http_request.request_id, model, WallMillis() / 1000),
        placed_time_s_(MonotonicSeconds()),
        ticket_(std::move(ticket)),
        entry_(std::move(entry)),
        observer_(observer),
        note_(note) {}

  void Run() {
    // Nothing is sent before the engine took the request: a refusal is an HTTP status, not a broken stream.
    const auto first = NextEvent();
    if (!first) return;
    if (const auto* refused = std::get_if<Refused>(&*first)) return SendRefusal(*refused);
    if (EndsWithoutAnswer(*first)) return;
    if (const auto* accepted = std::get_if<Accepted>(&*first)) {
      usage_.prompt_tokens = accepted->num_prompt_tokens;
      note_->prompt_tokens = accepted->num_prompt_tokens;
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
  void Fail(std::string_view reason, int http_status, std::string error = "") {
    entry_.Failed(reason);
    const bool is_under_way = http_status != kStatusClientLeft && began_;
    note_.End(reason, is_under_way ? 200 : http_status, std::move(error));
    observer_->OnErrorAnswer(http_request_.path, http_request_.method, http_status);
  }

  void Answered(const FinishedRequest& finished) {
    entry_.Answered(finished.finish_reason);
    note_.End(finished.finish_reason, 200);
  }

  // Waits for the next event; empty when the client has left.
  std::optional<StreamEvent> NextEvent() {
    while (true) {
      auto event = ticket_.Next(kClientCheck);
      // While a request is placed once more, its client may leave, too.
      const bool is_gone = event && std::holds_alternative<EngineGone>(*event);
      if (event && !is_gone) return event;
      if (response_.ClientGone()) {
        Fail("client_gone", kStatusClientLeft);
        return std::nullopt;
      }
      if (event) return event;
    }
  }

  void SendRefusal(const Refused& refused) {
    const bool too_long = refused.code == "context_length_exceeded";
    const Status status(static_cast<StatusCode>(refused.status_code), refused.message);
    const bool overloaded = status.code() == StatusCode::kResourceExhausted;
    const int http_status = http::HttpStatusOf(status);
    Fail(too_long ? "context_length_exceeded" : overloaded ? "overloaded" : "invalid_request",
         http_status, refused.message);
    if (!too_long && !overloaded) {
      note_.Refuse("invalid_request", http_status, refused.param, refused.message);
    }
    http::SendStatus(response_, status, refused.param, refused.code);
  }

  // The engine ended before the answer did: an HTTP error, or the last event of a stream, which then
  // breaks off without [DONE]: what a client has is not the whole answer.
  void BreakOff(std::string_view reason, int http_status, const LostRequest& lost) {
    Fail(reason, http_status, lost.message);
    const std::string body = DumpJson(LostRequestBody(lost));
    if (began_) {
      http::SendEvent(response_, body);
      response_.EndStream();
      return observer_->OnStreamEnded(SinceArrival());
    }
    if (lost.retry_after_s > 0) {
      response_.SetHeader("Retry-After", std::to_string(lost.retry_after_s));
    }
    response_.Send(http_status, "application/json", body);
  }

  // Was that the end, with no more of an answer? Then the client has been told.
  bool EndsWithoutAnswer(const StreamEvent& event) {
    LostRequest lost{.request_id = http_request_.request_id,
                     .generated_tokens = note_->generation_tokens.value_or(0)};
    if (const auto* gone = std::get_if<EngineGone>(&event)) {
      lost.message = gone->message;
      lost.retry_after_s = gone->retry_after_s;
      BreakOff("engine_died", 503, lost);
      return true;
    }
    if (const auto* quarantined = std::get_if<Quarantined>(&event)) {
      lost.message = quarantined->message;
      lost.is_quarantined = true;
      BreakOff("request_quarantined", 400, lost);
      return true;
    }
    const auto* refused = std::get_if<Refused>(&event);
    if (refused == nullptr || !began_) return false;
    // Another engine than the one that accepted it has other limits, in safe mode say.
    lost.message = refused->message;
    BreakOff("engine_died", 503, lost);
    return true;
  }

  // Has the engine given up on the request? Then the client has been told.
  bool EndedBadly(const FinishedRequest& finished) {
    usage_.completion_tokens = finished.num_generation_tokens;
    usage_.cached_tokens = finished.num_cached_tokens;
    NoteTimes(finished, http_request_.arrival_time_s, note_);
    if (finished.finish_reason == "error") {
      Fail("engine_error", 500, finished.error);
      if (began_) {
        EndStream(finished.error);
      } else {
        http::SendError(response_, 500, finished.error);
      }
      return true;
    }
    if (finished.finish_reason != "abort") return false;
    BreakOff("engine_died", 503,  // an engine that shuts down
             {.message = "the engine shut down while it worked on this request; try again",
              .request_id = http_request_.request_id,
              .generated_tokens = finished.num_generation_tokens,
              .retry_after_s = 1});
    return true;
  }

  void Collect() {
    std::vector<int> token_ids;
    ResponseWriter::Generated generated{"", request_.return_token_ids ? &token_ids : nullptr};
    while (const auto event = NextEvent()) {
      if (const auto* delta = std::get_if<RequestDelta>(&*event)) {
        NoteTokens(*delta);
        generated.text += delta->text;
        token_ids.insert(token_ids.end(), delta->token_ids.begin(), delta->token_ids.end());
      } else if (const auto* finished = std::get_if<FinishedRequest>(&*event)) {
        if (EndedBadly(*finished)) return;
        Answered(*finished);
        return response_.Send(200, "application/json",
                              DumpJson(writer_.Whole(generated, finished->finish_reason, usage_)));
      } else if (const auto* refused = std::get_if<Refused>(&*event)) {
        return SendRefusal(*refused);
      } else if (EndsWithoutAnswer(*event)) {
        return;
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
    NoteTokens(delta);
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

  void NoteTokens(const RequestDelta& delta) {
    if (!note_->ttft_ms) {
      note_->ttft_ms = MillisBetween(http_request_.arrival_time_s, MonotonicSeconds());
    }
    note_->generation_tokens =
        note_->generation_tokens.value_or(0) + static_cast<int>(delta.token_ids.size());
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
    if (EndedBadly(finished)) return;
    Answered(finished);
    if (!role_sent_ && request_.endpoint == Endpoint::kChatCompletions) {
      WriteChunk(writer_.Role(UsageField(), usage_));
    }
    WriteChunk(writer_.Finish(finished.finish_reason, UsageField(), usage_));
    if (request_.include_usage) WriteChunk(writer_.UsageOnly(usage_));
    EndStream("");
  }

  void Stream() {
    http::BeginEventStream(response_);
    began_ = true;
    observer_->OnStreamStarted(placed_time_s_ - http_request_.arrival_time_s);
    while (const auto event = NextEvent()) {
      if (const auto* delta = std::get_if<RequestDelta>(&*event)) {
        if (!WriteDelta(*delta)) return Fail("client_gone", kStatusClientLeft);
      } else if (const auto* finished = std::get_if<FinishedRequest>(&*event)) {
        return Finish(*finished);
      } else if (EndsWithoutAnswer(*event)) {
        return;
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
  RequestNote& note_;
  Usage usage_;
  bool began_ = false;  // the client has seen a 200
  bool role_sent_ = false;
  double last_chunk_time_s_ = 0;
};

void HandleCompletion(Endpoint endpoint, const Watch& watch, const http::Request& http_request,
                      http::Response& response) {
  RequestNote note(watch.log, http_request);
  auto parsed = ParseOpenAiRequest(endpoint, http_request.body);
  if (const auto* bad = std::get_if<BadRequest>(&parsed)) {
    watch.ledger->Begin("").Failed("invalid_request");
    note.Refuse("invalid_request", 400, bad->param, bad->message);
    return http::SendError(response, 400, bad->message, bad->param);
  }
  auto& request = std::get<OpenAiRequest>(parsed);
  note->stream = request.stream;
  note->model_name = request.model;
  const auto model = watch.models->Resolve(request.model);
  if (!model.ok()) {
    watch.ledger->Begin("").Failed("model_not_found");
    note.End("model_not_found", http::HttpStatusOf(model.status()), "there is no such model");
    return http::SendStatus(response, model.status(), "model", "model_not_found");
  }
  note->model_name = *model;
  auto entry = watch.ledger->Begin(*model);
  metrics::ServiceObserver& observer = watch.models->ObserverOf(*model);
  observer.OnRouted(http_request.path);
  request.generate.arrival_time_s = http_request.arrival_time_s;
  metrics::RequestFacts facts;
  facts.arrival_time_s = http_request.arrival_time_s;
  facts.http_request_id = http_request.request_id;
  facts.route = http_request.path;
  facts.max_tokens = request.generate.sampling_params.max_tokens;
  auto ticket = watch.models->Submit(*model, std::move(request.generate), std::move(facts),
                                     [&response] { return response.ClientGone(); });
  if (!ticket.ok() && ticket.status().code() == StatusCode::kAborted) {  // it left while in line
    entry.Failed("client_gone");
    return note.End("client_gone", kStatusClientLeft, ticket.status().message());
  }
  if (!ticket.ok() && ticket.status().code() == StatusCode::kInvalidArgument) {
    entry.Failed("request_quarantined");
    note.End("request_quarantined", 400, ticket.status().message());
    observer.OnErrorAnswer(http_request.path, http_request.method, 400);
    return http::SendStatus(response, ticket.status(), "", "request_quarantined");
  }
  if (!ticket.ok()) {
    const bool full = ticket.status().code() == StatusCode::kResourceExhausted;
    const int http_status = http::HttpStatusOf(ticket.status());
    entry.Failed(full ? "overloaded" : "unavailable");
    note.End(full ? "overloaded" : "unavailable", http_status, ticket.status().message());
    observer.OnErrorAnswer(http_request.path, http_request.method, http_status);
    return http::SendStatus(response, ticket.status());
  }
  Conversation(http_request, response, std::move(request), *model, std::move(ticket).value(),
               std::move(entry), &observer, note)
      .Run();
}

void HandleModels(const models::ModelManager& models, http::Response& response) {
  Json data = Json::array();
  for (const auto& model : models.Statuses()) {
    const int max_model_len = model.replica.ready.max_model_len;
    std::vector<std::string> names = model.options.aliases;
    names.insert(names.begin(), model.model_name);
    for (const std::string& name : names) {
      data.push_back(Json{{"id", name},
                          {"object", "model"},
                          {"created", static_cast<int64_t>(model.created_time_s)},
                          {"owned_by", "hearth"},
                          {"root", model.model_name},
                          {"parent", nullptr},
                          {"max_model_len", max_model_len > 0 ? Json(max_model_len) : Json(nullptr)},
                          {"permission", Json::array()}});
    }
  }
  response.Send(200, "application/json",
                DumpJson(Json{{"object", "list"}, {"data", std::move(data)}}));
}

}  // namespace

std::vector<http::Route> OpenAiRoutes(models::ModelManager* models, metrics::RequestLedger* ledger,
                                      RequestLog* log) {
  const Watch watch{models, ledger, log};
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
