// The streamed answer of /v1/chat/completions, as it comes in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/status.h"

namespace hearth::cli {

// Cuts a body of server-sent events ("data: …", then an empty line) into the texts of their data.
class EventCutter {
 public:
  // on_data false: enough; Take returns false then, and whenever an event is larger than any of ours.
  explicit EventCutter(std::function<bool(std::string_view data)> on_data)
      : on_data_(std::move(on_data)) {}

  bool Take(std::string_view piece);

 private:
  bool TakeLine(std::string_view line);

  const std::function<bool(std::string_view data)> on_data_;
  std::string rest_;  // of a line that has not ended
  std::string data_;  // lines of the event that has not ended
};

// An answer as its chunks tell it.
struct StreamedAnswer {
  std::string text;
  std::string finish_reason;
  std::optional<int64_t> prompt_tokens, completion_tokens;  // with stream_options.include_usage
  int64_t cached_tokens = 0;
  Status error;            // the box said so in the middle of the stream
  bool is_whole = false;   // "[DONE]" was read

  // The text that `data` adds, which may be none. Everything else is kept above.
  std::string Add(std::string_view data);
};

}  // namespace hearth::cli
