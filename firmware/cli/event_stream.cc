#include "firmware/cli/event_stream.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "firmware/cli/read_json.h"

namespace hearth::cli {

bool EventCutter::Take(std::string_view piece) {
  while (true) {
    const size_t end = piece.find('\n');
    if (rest_.size() + std::min(end, piece.size()) > limits::kBodyBytesMax) return false;
    if (end == std::string_view::npos) {
      rest_ += piece;
      return true;
    }
    rest_ += piece.substr(0, end);
    piece.remove_prefix(end + 1);
    const std::string line = std::exchange(rest_, {});
    if (!TakeLine(line)) return false;
  }
}

bool EventCutter::TakeLine(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    const std::string data = std::exchange(data_, {});
    return data.empty() || on_data_(data);
  }
  constexpr std::string_view kData = "data:";
  if (!line.starts_with(kData)) return true;  // a comment, or a field that nobody here reads
  line.remove_prefix(kData.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!data_.empty()) data_ += '\n';
  data_ += line;
  return data_.size() <= limits::kBodyBytesMax;
}

std::string StreamedAnswer::Add(std::string_view data) {
  if (data == "[DONE]") {
    is_whole = true;
    return "";
  }
  const Result<Json> chunk = ParseJson(data);
  if (!chunk.ok()) {
    error = DataLoss("the box streamed what is no JSON: " + chunk.status().message());
    return "";
  }
  if (const Json& told = PartOf(*chunk, "error"); told.is_object()) {
    error = Unavailable(TextOf(told, "message"));
    return "";
  }
  if (const Json& usage = PartOf(*chunk, "usage"); usage.is_object()) {
    prompt_tokens = CountOf(usage, "prompt_tokens");
    completion_tokens = CountOf(usage, "completion_tokens");
    cached_tokens = CountOf(PartOf(usage, "prompt_tokens_details"), "cached_tokens");
  }
  std::string added;
  for (const Json& choice : ListOf(*chunk, "choices")) {
    added += TextOf(PartOf(choice, "delta"), "content");
    if (const std::string reason = TextOf(choice, "finish_reason"); !reason.empty()) {
      finish_reason = reason;
    }
  }
  text += added;
  return added;
}

}  // namespace hearth::cli
