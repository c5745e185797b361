#include "firmware/remote_write/cursor_file.h"

#include "base/durable_file.h"
#include "base/json.h"

namespace hearth::remote_write {

namespace {

constexpr const char* kKey = "acknowledged_ms";

}  // namespace

Result<std::optional<int64_t>> CursorFile::Read() const {
  const std::optional<std::string> text = ReadSmallFile(path_);
  if (!text) return std::optional<int64_t>();
  const auto json = ParseJson(*text);
  if (!json.ok() || !json->is_object() || !json->contains(kKey) ||
      !(*json)[kKey].is_number_integer()) {
    return DataLoss(path_ + " does not say how far the receiver of remote writes is");
  }
  return std::optional((*json)[kKey].get<int64_t>());
}

Status CursorFile::Write(int64_t acknowledged_ms) const {
  return WriteDurably(path_, DumpJson(Json{{kKey, acknowledged_ms}}) + "\n");
}

}  // namespace hearth::remote_write
