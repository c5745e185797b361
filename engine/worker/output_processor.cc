#include "engine/worker/output_processor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace hearth::engine {
namespace {

// The token that ended its sequence (eos or a stop token) is no part of the text.
bool IsStopToken(const SampledToken& token, const StepResult& result) {
  return std::any_of(result.finished.begin(), result.finished.end(), [&](const auto& finished) {
    return finished.request_id == token.request_id && finished.finish_reason == "stop";
  });
}

}  // namespace

OutputProcessor::OutputProcessor(const Tokenizer* tokenizer, EndSequence end_sequence)
    : tokenizer_(tokenizer), end_sequence_(std::move(end_sequence)) {}

void OutputProcessor::Add(Request request) {
  const uint64_t request_id = request.request_id;
  StreamingText text(*tokenizer_, request.stop, request.include_stop_str_in_output);
  protocol::FinishedRequest finished;
  finished.request_id = request_id;
  finished.num_prompt_tokens = request.num_prompt_tokens;
  finished.queued_time_s = request.queued_time_s;
  const bool is_new =
      live_.emplace(request_id, Live{std::move(request), std::move(text), std::move(finished)})
          .second;
  CHECK(is_new) << "request " << request_id << " was added twice";
}

protocol::StepOutput OutputProcessor::Process(const StepResult& result) {
  protocol::StepOutput output;
  output.stats = result.stats;
  output.deltas.reserve(result.tokens.size());
  for (const SampledToken& token : result.tokens) ProcessToken(token, result, output);
  for (const auto& finished : result.finished) ProcessFinished(finished, output);
  return output;
}

void OutputProcessor::ProcessToken(const SampledToken& token, const StepResult& result,
                                   protocol::StepOutput& output) {
  const auto it = live_.find(token.request_id);
  if (it == live_.end()) {  // drawn after its stop string was complete
    --output.stats.num_generation_tokens;
    return;
  }
  Live& live = it->second;
  protocol::FinishedRequest& finished = live.finished;
  if (finished.num_generation_tokens++ == 0) finished.first_token_time_s = result.stats.time_s;
  finished.last_token_time_s = result.stats.time_s;
  finished.scheduled_time_s = token.scheduled_time_s;
  finished.num_cached_tokens = token.num_cached_tokens;
  finished.num_preemptions = token.num_preemptions;

  protocol::RequestDelta& delta = output.deltas.emplace_back();
  delta.request_id = token.request_id;
  delta.token_ids = {token.token_id};
  delta.num_cached_tokens = token.num_cached_tokens;
  if (!live.request.include_stop_str_in_output && IsStopToken(token, result)) return;

  const bool check_stop = finished.num_generation_tokens > live.request.min_tokens;
  StopChecker::Output piece = live.text.Push(token.token_id, check_stop);
  delta.text = std::move(piece.text);
  if (!piece.stopped_by) return;
  finished.finish_reason = "stop";
  finished.stop_reason = *piece.stopped_by;
  output.finished.push_back(std::move(finished));
  live_.erase(it);
  end_sequence_(token.request_id);
}

void OutputProcessor::ProcessFinished(const protocol::FinishedRequest& finished,
                                      protocol::StepOutput& output) {
  const auto it = live_.find(finished.request_id);
  if (it == live_.end()) return;  // a stop string ended it before
  protocol::FinishedRequest& last = output.finished.emplace_back(finished);
  StopChecker::Output piece = it->second.text.Flush();
  if (piece.stopped_by) {
    last.finish_reason = "stop";
    last.stop_reason = *piece.stopped_by;
  }
  live_.erase(it);
  if (piece.text.empty()) return;
  const auto delta =
      std::find_if(output.deltas.begin(), output.deltas.end(), [&](const auto& candidate) {
        return candidate.request_id == finished.request_id;
      });
  if (delta != output.deltas.end()) {
    delta->text += piece.text;
  } else {
    output.deltas.push_back(
        {finished.request_id, std::move(piece.text), {}, finished.num_cached_tokens});
  }
}

}  // namespace hearth::engine
