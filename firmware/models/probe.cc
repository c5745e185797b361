#include "firmware/models/probe.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"

namespace hearth::models {
namespace {

constexpr std::chrono::duration<double> kLookAround{0.1};
constexpr const char* kPrompt = "Hello! Who are you?";

// From the one that shows most to the one that any model and context can answer.
struct Attempt {
  bool is_chat;
  const char* prompt;
  int max_tokens;
};
constexpr Attempt kAttempts[] = {{true, kPrompt, 24}, {false, kPrompt, 24}, {false, "a", 1}};

protocol::Generate MakeGenerate(const Attempt& attempt, uint64_t request_id) {
  protocol::Generate generate;
  generate.request_id = request_id;
  generate.arrival_time_s = MonotonicSeconds();
  if (attempt.is_chat) {
    generate.messages =
        Json::array({Json{{"role", "user"}, {"content", std::string(attempt.prompt)}}});
  } else {
    generate.prompt = attempt.prompt;
  }
  generate.sampling_params.temperature = 0;
  generate.sampling_params.max_tokens = attempt.max_tokens;
  return generate;
}

// Aborts the generation unless it has ended.
class Generation {
 public:
  Generation(Replica& replica, std::shared_ptr<TokenStream> stream)
      : replica_(replica), stream_(std::move(stream)) {}
  ~Generation() { replica_.Abort(stream_->request_id()); }
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // kDeadlineExceeded at the deadline, kAborted when give_up() says so.
  Result<StreamEvent> Next(double deadline_s, const std::function<bool()>& give_up) {
    while (true) {
      const double left_s = deadline_s - MonotonicSeconds();
      if (left_s <= 0) return DeadlineExceeded("");
      if (give_up && give_up()) return Aborted("the probe was given up");
      const auto wait = std::min(kLookAround, std::chrono::duration<double>(left_s));
      if (auto event = stream_->Next(wait)) return *std::move(event);
    }
  }

 private:
  Replica& replica_;
  const std::shared_ptr<TokenStream> stream_;
};

std::string Seconds(double seconds) {
  std::string text = std::to_string(seconds);
  return text.substr(0, text.find('.') + 2) + " s";
}

// kInvalidArgument when the engine refused the prompt: another one may do.
Result<ProbeAnswer> Ask(Replica& candidate, const Attempt& attempt, uint64_t request_id,
                        double timeout_s, const std::function<bool()>& give_up) {
  const double start_s = MonotonicSeconds();
  HEARTH_ASSIGN_OR_RETURN(auto stream,
                          candidate.SubmitProbe(MakeGenerate(attempt, request_id)));
  Generation generation(candidate, std::move(stream));
  ProbeAnswer answer;
  answer.prompt = attempt.prompt;
  while (true) {
    auto event = generation.Next(start_s + timeout_s, give_up);
    if (!event.ok() && event.status().code() == StatusCode::kDeadlineExceeded) {
      return DeadlineExceeded("the new engine did not finish an answer of " +
                              std::to_string(attempt.max_tokens) + " tokens in " +
                              Seconds(timeout_s) + "; it gave " +
                              std::to_string(answer.num_tokens));
    }
    if (!event.ok()) return event.status();
    if (const auto* refused = std::get_if<protocol::Refused>(&*event)) {
      return Status(static_cast<StatusCode>(refused->status_code),
                    "the new engine refused the probe: " + refused->message);
    }
    if (std::holds_alternative<EngineGone>(*event)) {
      return Unavailable("the new engine ended while it answered the probe");
    }
    if (const auto* delta = std::get_if<protocol::RequestDelta>(&*event)) {
      if (answer.num_tokens == 0 && !delta->token_ids.empty()) {
        answer.ttft_s = MonotonicSeconds() - start_s;
      }
      answer.num_tokens += static_cast<int>(delta->token_ids.size());
      answer.text += delta->text;
    }
    const auto* finished = std::get_if<protocol::FinishedRequest>(&*event);
    if (finished == nullptr) continue;
    if (finished->finish_reason != "stop" && finished->finish_reason != "length") {
      return Internal("the new engine could not answer the probe: " +
                      (finished->error.empty() ? finished->finish_reason : finished->error));
    }
    if (answer.num_tokens == 0) return Internal("the new engine answered the probe with nothing");
    answer.duration_s = MonotonicSeconds() - start_s;
    return answer;
  }
}

}  // namespace

Result<ProbeAnswer> RunProbe(Replica& candidate, const std::function<uint64_t()>& next_request_id,
                             double timeout_s, const std::function<bool()>& give_up) {
  Result<ProbeAnswer> answer = Internal("no probe was made");
  const double deadline_s = MonotonicSeconds() + timeout_s;
  for (const Attempt& attempt : kAttempts) {
    answer = Ask(candidate, attempt, next_request_id(), deadline_s - MonotonicSeconds(), give_up);
    if (answer.ok() || answer.status().code() != StatusCode::kInvalidArgument) break;
  }
  return answer;
}

}  // namespace hearth::models
