// Tokens of a step to the text that clients get: the other half of what the loop computes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/engine_loop.h"
#include "engine/protocol/messages.h"
#include "engine/text/detokenizer.h"
#include "engine/text/tokenizer.h"

namespace hearth::engine {

// Not thread-safe; belongs to the outbox thread.
class OutputProcessor {
 public:
  struct Request {
    uint64_t request_id = 0;
    int num_prompt_tokens = 0;
    int min_tokens = 0;
    std::vector<std::string> stop;
    bool include_stop_str_in_output = false;
    double queued_time_s = 0;
  };
  // Told about a sequence whose text contains a stop string. The loop may draw a few tokens more
  // before it learns of it; they reach nobody and no count.
  using EndSequence = std::function<void(uint64_t request_id)>;

  // `tokenizer` outlives this object.
  OutputProcessor(const Tokenizer* tokenizer, EndSequence end_sequence);

  // Before the first StepResult that speaks of the request.
  void Add(Request request);

  // One StepOutput per StepResult. Each added request gets exactly one FinishedRequest in its life,
  // and the token_ids of its deltas are as many as that one counts.
  protocol::StepOutput Process(const StepResult& result);

  size_t num_requests() const { return live_.size(); }

 private:
  struct Live {
    Request request;
    StreamingText text;
    // Grows with the tokens; sent as it is when a stop string ends the request.
    protocol::FinishedRequest finished;
  };

  void ProcessToken(const SampledToken& token, const StepResult& result,
                    protocol::StepOutput& output);
  void ProcessFinished(const protocol::FinishedRequest& finished, protocol::StepOutput& output);

  const Tokenizer* const tokenizer_;
  const EndSequence end_sequence_;
  std::unordered_map<uint64_t, Live> live_;
};

}  // namespace hearth::engine
