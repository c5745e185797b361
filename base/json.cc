#include "base/json.h"

#include <array>
#include <limits>

#include "base/limits.h"

namespace hearth {
namespace {

// A parser callback: refuses values nested too deep, and objects with too many keys, while they are
// being read.
class ParseLimits {
 public:
  explicit ParseLimits(int keys_max) : keys_max_(keys_max) {}

  template <typename AnyJson>
  bool operator()(int depth, Json::parse_event_t event, AnyJson&) {
    using Event = Json::parse_event_t;
    if ((event == Event::object_start || event == Event::array_start) && depth >= limits::kJsonDepthMax) {
      Refuse("nested deeper than " + std::to_string(limits::kJsonDepthMax) +
             " levels; flatten the value");
    }
    // A key's depth is one more than its object's.
    if (event == Event::object_start) keys_[static_cast<size_t>(depth + 1)] = 0;
    if (event == Event::key && ++keys_[static_cast<size_t>(depth)] > keys_max_) {
      Refuse("an object with more than " + std::to_string(keys_max_) + " keys; split it");
    }
    return true;
  }

 private:
  [[noreturn]] static void Refuse(const std::string& reason) {
    throw Json::other_error::create(501, reason, nullptr);
  }

  const int keys_max_;
  std::array<int, limits::kJsonDepthMax + 1> keys_{};  // of the open object, by depth
};

// "[json.exception.parse_error.101] parse error at ..." -> "parse error at ..."
std::string Reason(const std::exception& error) {
  const std::string text = error.what();
  const size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

template <typename AnyJson>
Result<AnyJson> Parse(std::string_view text, int keys_max) {
  try {
    return AnyJson::parse(text.begin(), text.end(), ParseLimits(keys_max));
  } catch (const std::exception& error) {
    return InvalidArgument("invalid JSON: " + Reason(error));
  }
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  return Parse<Json>(text, limits::kJsonKeysMax);
}

Result<SortedJson> ParseLargeJson(std::string_view text) {
  return Parse<SortedJson>(text, std::numeric_limits<int>::max());
}

Result<Json> ParseCbor(std::span<const uint8_t> bytes) {
  try {
    return Json::from_cbor(bytes.begin(), bytes.end());
  } catch (const std::exception& error) {
    return InvalidArgument("invalid CBOR: " + Reason(error));
  }
}

std::vector<uint8_t> DumpCbor(const Json& value) { return Json::to_cbor(value); }

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hearth
