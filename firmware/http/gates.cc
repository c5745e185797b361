#include "firmware/http/gates.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/limits.h"
#include "firmware/http/url.h"

namespace hearth::http {

namespace {

Refusal BadRequest(std::string message) { return {400, std::move(message), ""}; }

std::vector<std::string_view> HeaderValues(const RequestHead& head, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : head.headers) {
    if (EqualsIgnoringCase(key, name)) values.push_back(Trim(value));
  }
  return values;
}

bool IsDecimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::optional<Refusal> CheckLines(const RequestHead& head) {
  if (head.bare_line_feed) return BadRequest("a line of the request's head ends without CR");
  if (head.space_before_colon) return BadRequest("white space before the colon of a header");
  if (head.headers.size() > limits::kHeadersMax ||
      (head.headers.size() == limits::kHeadersMax && !head.unparsed.empty())) {
    return Refusal{431, "more than " + std::to_string(limits::kHeadersMax) + " headers", ""};
  }
  if (!head.unparsed.empty()) return BadRequest("a folded or malformed header line");
  for (const auto& [name, value] : head.headers) {
    if (std::any_of(value.begin(), value.end(), IsControl)) {
      return BadRequest("a control byte in header " + std::string(name));
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckFraming(const RequestHead& head) {
  const auto lengths = HeaderValues(head, "Content-Length");
  const auto codings = HeaderValues(head, "Transfer-Encoding");
  if (!lengths.empty() && !codings.empty()) {
    return BadRequest("both Content-Length and Transfer-Encoding");
  }
  if (lengths.size() > 1) return BadRequest("more than one Content-Length");
  if (!lengths.empty() && (!IsDecimal(lengths[0]) || lengths[0].size() > 18)) {
    return BadRequest("Content-Length is not a number of bytes");
  }
  if (codings.size() > 1) return BadRequest("more than one Transfer-Encoding");
  if (!codings.empty() && !EqualsIgnoringCase(codings[0], "chunked")) {
    return BadRequest("the only Transfer-Encoding understood is chunked");
  }
  if (!codings.empty() && head.version == "1.0") return BadRequest("Transfer-Encoding in HTTP/1.0");
  for (const std::string_view coding : HeaderValues(head, "Content-Encoding")) {
    if (!EqualsIgnoringCase(coding, "identity")) {
      return Refusal{
          415, "compressed request bodies are not accepted; send it without Content-Encoding", ""};
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsKnownMethod(std::string_view method) {
  constexpr std::array kNames = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::find(kNames.begin(), kNames.end(), method) != kNames.end();
}

void ReadHeadLayout(std::string_view bytes, RequestHead& head) {
  if (head.headers.empty()) return;
  const char* const end = bytes.data() + bytes.size();
  const std::string_view last_value = head.headers.back().second;
  const char* rest = last_value.data() + last_value.size();
  if (rest + 1 >= end) {
    // Empty lines before the request line: the parser went past what the reader took for the head.
    head.unparsed = bytes;
    return;
  }
  // The parser writes NUL over spaces before a colon, over the colon, and over CR and LF; only the
  // very last CR stays.
  const char* const after_version = head.version.data() + head.version.size();
  head.bare_line_feed = after_version[1] != '\0' || end[-2] != '\r';
  for (const auto& [name, value] : head.headers) {
    const char* const after_name = name.data() + name.size();
    const char* const after_value = value.data() + value.size();
    if (after_name + 1 < value.data() && after_name[1] == '\0') head.space_before_colon = true;
    if (after_value[1] != '\0') head.bare_line_feed = true;
  }
  while (rest < end && *rest == '\0') ++rest;
  const std::string_view tail(rest, static_cast<size_t>(end - rest));
  constexpr std::string_view kLineEnds("\r\n\0", 3);
  if (tail.find_first_not_of(kLineEnds) != std::string_view::npos) head.unparsed = tail;
}

std::optional<Refusal> CheckHead(const RequestHead& head) {
  if (!IsKnownMethod(head.method)) {
    return Refusal{405, "method " + std::string(head.method.substr(0, 32)) + " is not served",
                   std::string(kMethods)};
  }
  if (const size_t bytes = head.target.size() + head.query.size(); bytes > limits::kUriBytesMax) {
    return Refusal{414,
                   "the URI has " + std::to_string(bytes) + " bytes, the limit is " +
                       std::to_string(limits::kUriBytesMax),
                   ""};
  }
  if (auto refusal = CheckLines(head)) return refusal;
  return CheckFraming(head);
}

BodyFraming FramingOf(const RequestHead& head) {
  BodyFraming framing;
  framing.chunked = !HeaderValues(head, "Transfer-Encoding").empty();
  if (const auto lengths = HeaderValues(head, "Content-Length"); !lengths.empty()) {
    uint64_t bytes = 0;
    std::from_chars(lengths[0].data(), lengths[0].data() + lengths[0].size(), bytes);
    framing.content_length = bytes;
  }
  return framing;
}

std::optional<Refusal> ParseTarget(std::string_view target, Target& parsed) {
  parsed = {};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const size_t path_begin = std::min(target.find('/'), target.size());
    parsed.authority = target.substr(0, path_begin);
    target.remove_prefix(path_begin);
    break;
  }
  auto path = PercentDecode(target);
  if (!path) return BadRequest("a '%' in the path without two hex digits");
  if (!path->starts_with('/')) return BadRequest("the path does not start with '/'");
  if (std::any_of(path->begin(), path->end(), IsControl)) {
    return BadRequest("a control byte in the path");
  }
  const std::string closed = *path + "/";
  if (closed.find("/./") != std::string::npos || closed.find("/../") != std::string::npos) {
    return BadRequest("a '.' or '..' segment in the path");
  }
  parsed.path = *std::move(path);
  return std::nullopt;
}

std::string HostName(std::string_view authority) {
  std::string_view name = authority;
  std::string_view port;
  if (name.starts_with('[')) {
    const size_t bracket = name.find(']');
    if (bracket == std::string_view::npos) return "";
    port = name.substr(bracket + 1);
    name = name.substr(1, bracket - 1);
  } else if (const size_t colon = name.find(':'); colon != std::string_view::npos) {
    port = name.substr(colon);
    name = name.substr(0, colon);
  }
  const bool is_port = port.empty() || port == ":" || (port[0] == ':' && IsDecimal(port.substr(1)));
  if (!is_port) return "";
  return LowerCase(name);
}

std::optional<Refusal> CheckHost(const RequestHead& head, const Target& target,
                                 const std::vector<std::string>& own_names,
                                 std::string_view own_address) {
  const auto hosts = HeaderValues(head, "Host");
  if (hosts.empty()) return BadRequest("the Host header is missing");
  if (hosts.size() > 1) return BadRequest("more than one Host header");
  const auto is_own = [&](std::string_view authority) {
    const std::string name = HostName(authority);
    if (name.empty()) return false;
    return name == own_address ||
           std::find(own_names.begin(), own_names.end(), name) != own_names.end();
  };
  const bool is_own_target = target.authority.empty() || is_own(target.authority);
  if (is_own(hosts[0]) && is_own_target) return std::nullopt;
  return Refusal{421,
                 "this box is not known as '" + HostName(hosts[0]).substr(0, 255) +
                     "'; use its address, its host name, or add the name to its allowed hosts",
                 ""};
}

std::optional<Refusal> CheckOrigin(const RequestHead& head) {
  const bool is_safe = head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS";
  if (is_safe) return std::nullopt;
  const auto origins = HeaderValues(head, "Origin");
  if (origins.empty()) return std::nullopt;
  const auto hosts = HeaderValues(head, "Host");
  const size_t scheme_end = origins[0].find("://");
  if (origins.size() == 1 && hosts.size() == 1 && scheme_end != std::string_view::npos &&
      EqualsIgnoringCase(origins[0].substr(scheme_end + 3), hosts[0])) {
    return std::nullopt;
  }
  return Refusal{403, "the request comes from a page of another origin", ""};
}

bool IsSaneRequestId(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace hearth::http
