#include "engine/text/detokenizer.h"

#include <algorithm>

#include "engine/text/unicode.h"

namespace hearth::engine {

std::string Detokenizer::Push(int token_id) {
  if (skip_special_tokens_ && tokenizer_->IsSpecial(token_id)) return "";
  pending_ += tokenizer_->TokenBytes(token_id);
  std::string text;
  size_t pos = 0;
  while (pos < pending_.size()) {
    const DecodedChar c = DecodeUtf8(pending_, pos);
    if (c.incomplete) break;
    AppendUtf8(text, c.code_point);
    pos += static_cast<size_t>(c.length);
  }
  pending_.erase(0, pos);
  return text;
}

std::string Detokenizer::Flush() {
  std::string text = ReplaceInvalidUtf8(pending_);
  pending_.clear();
  return text;
}

StopChecker::StopChecker(std::vector<std::string> stop, bool include_stop_str_in_output)
    : stop_(std::move(stop)), include_stop_(include_stop_str_in_output) {
  std::erase_if(stop_, [](const std::string& text) { return text.empty(); });
}

StopChecker::Output StopChecker::Push(std::string_view text, bool check) {
  if (stopped_) return {};
  pending_ += text;
  if (!check) return {.text = std::exchange(pending_, {}), .stopped_by = {}};

  // The stop string that begins first counts; among those that begin together, the first given.
  size_t found = std::string::npos;
  const std::string* found_stop = nullptr;
  for (const std::string& stop : stop_) {
    const size_t pos = pending_.find(stop);
    if (pos < found) {
      found = pos;
      found_stop = &stop;
    }
  }
  if (found_stop != nullptr) {
    stopped_ = true;
    const size_t end = include_stop_ ? found + found_stop->size() : found;
    Output output{.text = pending_.substr(0, end), .stopped_by = *found_stop};
    pending_.clear();
    return output;
  }

  const size_t safe = pending_.size() - HeldBackBytes();
  Output output{.text = pending_.substr(0, safe), .stopped_by = {}};
  pending_.erase(0, safe);
  return output;
}

std::string StopChecker::Flush() { return std::exchange(pending_, {}); }

// The longest end of the pending text that is the begin of a stop string. Stop strings are valid
// UTF-8, so what is released before it ends with a whole character.
size_t StopChecker::HeldBackBytes() const {
  size_t held = 0;
  for (const std::string& stop : stop_) {
    for (size_t n = std::min(stop.size() - 1, pending_.size()); n > held; --n) {
      if (std::string_view(pending_).substr(pending_.size() - n) ==
          std::string_view(stop).substr(0, n)) {
        held = n;
        break;
      }
    }
  }
  return held;
}

}  // namespace hearth::engine
