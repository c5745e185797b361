// Token ids to text while they are being generated: whole characters only, and stop strings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/tokenizer.h"

namespace hearth::engine {

// The text of one sequence, token by token. Concatenating every Push and Flush gives
// Tokenizer::Decode of all ids.
class Detokenizer {
 public:
  // `tokenizer` must outlive this object.
  explicit Detokenizer(const Tokenizer& tokenizer, bool skip_special_tokens = true)
      : tokenizer_(&tokenizer), skip_special_tokens_(skip_special_tokens) {}

  // The text that became certain: valid UTF-8, bytes that can belong to no character as U+FFFD. A
  // character whose last bytes have not come yet waits, so the text may be empty.
  std::string Push(int token_id);

  // What still waits: U+FFFD for a character that stayed incomplete.
  std::string Flush();

 private:
  const Tokenizer* tokenizer_;
  bool skip_special_tokens_;
  std::string pending_;  // at most 3 bytes between calls
};

// Looks for stop strings in a text that comes in pieces.
class StopChecker {
 public:
  // Empty stop strings are ignored.
  StopChecker(std::vector<std::string> stop, bool include_stop_str_in_output);

  struct Output {
    std::string text;  // safe to send: it cannot turn out to be the begin of a stop string
    // The stop string that was found; the text ends before it, or behind it when it is included.
    // Push and Flush give nothing more afterwards.
    std::optional<std::string> stopped_by;
  };

  // Without `check`, `text` and what was held back is released unseen (min_tokens of vLLM).
  Output Push(std::string_view text, bool check = true);

  // What was held back at the end of the text.
  std::string Flush();

 private:
  size_t HeldBackBytes() const;

  std::vector<std::string> stop_;
  bool include_stop_;
  bool stopped_ = false;
  std::string pending_;  // shorter than the longest stop string between calls
};

// Both together: what a request streams to its client.
class StreamingText {
 public:
  StreamingText(const Tokenizer& tokenizer, std::vector<std::string> stop,
                bool include_stop_str_in_output = false, bool skip_special_tokens = true)
      : detokenizer_(tokenizer, skip_special_tokens),
        stop_checker_(std::move(stop), include_stop_str_in_output) {}

  StopChecker::Output Push(int token_id, bool check_stop = true) {
    return stop_checker_.Push(detokenizer_.Push(token_id), check_stop);
  }

  // The end of the sequence. The last characters may still complete a stop string.
  StopChecker::Output Flush() {
    StopChecker::Output output = stop_checker_.Push(detokenizer_.Flush());
    if (!output.stopped_by) output.text += stop_checker_.Flush();
    return output;
  }

 private:
  Detokenizer detokenizer_;
  StopChecker stop_checker_;
};

}  // namespace hearth::engine
