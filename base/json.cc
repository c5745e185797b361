#include "base/json.h"

#include "base/limits.h"

namespace hearth {
namespace {

// A parser callback: refuses values nested deeper than the limit while they are being read.
class DepthLimit {
 public:
  template <typename AnyJson>
  bool operator()(int depth, Json::parse_event_t event, AnyJson&) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= limits::kJsonDepthMax) {
      throw Json::other_error::create(
          501,
          "nested deeper than " + std::to_string(limits::kJsonDepthMax) +
              " levels; flatten the value",
          nullptr);
    }
    return true;
  }
};

// "[json.exception.parse_error.101] parse error at ..." -> "parse error at ..."
std::string Reason(const std::exception& error) {
  const std::string text = error.what();
  const size_t end = text.find("] ");
  return end == std::string::npos ? text : text.substr(end + 2);
}

template <typename AnyJson>
Result<AnyJson> Parse(std::string_view text) {
  try {
    return AnyJson::parse(text.begin(), text.end(), DepthLimit());
  } catch (const std::exception& error) {
    return InvalidArgument("invalid JSON: " + Reason(error));
  }
}

}  // namespace

Result<Json> ParseJson(std::string_view text) { return Parse<Json>(text); }

Result<SortedJson> ParseLargeJson(std::string_view text) { return Parse<SortedJson>(text); }

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
