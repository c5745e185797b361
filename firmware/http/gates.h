// What a request's head must be before anything else looks at it. Pure functions over the parsed
// head: no socket, no CivetWeb.
//
// CivetWeb accepts requests that two servers can understand differently (duplicate Content-Length,
// Content-Length with Transfer-Encoding, a missing Host, "%00" in a path, folded lines). Each of
// those is refused here and its connection is closed, because nobody can say where the next request
// begins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hearth::http {

struct RequestHead {
  std::string_view method;
  std::string_view target;   // as sent, up to '?': "/path", or with "http://host" before it
  std::string_view query;    // what follows the '?'
  std::string_view version;  // "1.0" or "1.1"
  std::vector<std::pair<std::string_view, std::string_view>> headers;  // all, in order

  // How the lines were written; see ReadHeadLayout.
  std::string_view unparsed;  // what follows the last header that was taken; mostly empty
  bool bare_line_feed = false;
  bool space_before_colon = false;
};

struct Refusal {
  int status = 0;
  std::string message;
  std::string allow;  // the Allow header of a 405

  bool operator==(const Refusal&) const = default;
};

// How the body is delimited. At most one of the two.
struct BodyFraming {
  std::optional<uint64_t> content_length;
  bool chunked = false;
};

struct Target {
  std::string path;       // percent-decoded
  std::string authority;  // of an absolute-form target, else empty
};

// The methods this server has heard of, as an Allow header. Others are 405 before routing.
inline constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
bool IsKnownMethod(std::string_view method);  // they are case-sensitive

// Sets the three layout members from the head's bytes as CivetWeb's parser left them (the
// delimiters it found became NUL). `head.headers` must point into `bytes`.
void ReadHeadLayout(std::string_view bytes, RequestHead& head);

// Lines, header count, URI length, method, Content-Length and Transfer-Encoding, Content-Encoding.
std::optional<Refusal> CheckHead(const RequestHead& head);

// Requires CheckHead to have passed.
BodyFraming FramingOf(const RequestHead& head);

// Splits and decodes the target. A refusal for bad escapes, control bytes and "." or ".." segments.
std::optional<Refusal> ParseTarget(std::string_view target, Target& parsed);

// Exactly one Host header, and its name must be `own_address`, the address that the client
// connected to, or one of `own_names` (both lower case, no port, IPv6 without brackets). A page
// whose hostile name was re-bound to this box's address makes the browser send that name. An
// absolute target's authority must pass too. Any port is accepted, since a proxy or tunnel may have
// changed it.
std::optional<Refusal> CheckHost(const RequestHead& head, const Target& target,
                                 const std::vector<std::string>& own_names,
                                 std::string_view own_address);

// A page of another origin must not change anything here: with an Origin header, methods other than
// GET, HEAD and OPTIONS need the origin's authority to equal Host.
std::optional<Refusal> CheckOrigin(const RequestHead& head);

// "example:80" -> "example", "[::1]:80" -> "::1", lower case. Empty for what is no host.
std::string HostName(std::string_view authority);

// 1 to 128 letters, digits and "-_.": safe in a log line and in a header.
bool IsSaneRequestId(std::string_view id);

}  // namespace hearth::http
