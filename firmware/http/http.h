// The words of our HTTP server: Request, Response, Handler, Scope. No CivetWeb type appears here;
// firmware/http/server.cc is the only file that knows the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace hearth::http {

// Who may call a route. Every route declares one; there is no default.
enum class Scope {
  kPublic,   // page assets, /health, /version
  kMetrics,  // /metrics and the query API
  kInfer,    // /v1/*
  kAdmin,    // whatever changes the box
};
inline constexpr size_t kScopeCount = 4;

struct Request {
  std::string method;  // upper case
  std::string path;    // percent-decoded, no query, starts with '/', no control byte
  std::string query;   // raw, without '?'
  std::vector<std::pair<std::string, std::string>> headers;  // in order; names as sent
  std::string body;                                          // whole; at most limits::kBodyBytesMax
  std::string body_path;  // where a route with a body_directory has it instead
  std::string remote_address;
  std::string request_id;  // the client's x-request-id if it is sane, else made here
  std::vector<std::string> path_parameters;  // what `{}` of the route's pattern matched
  double arrival_time_s = 0;                 // CLOCK_MONOTONIC when the header was complete

  // Case-insensitive; empty when absent.
  std::string_view Header(std::string_view name) const;

  // Percent-decoded values of `name` in the query string, then in a form-encoded body.
  std::optional<std::string> Parameter(std::string_view name) const;
  std::vector<std::string> Parameters(std::string_view name) const;
};

// Answers exactly one request: either Send once, or BeginStream, Write..., EndStream.
// Used by the handler's thread only.
class Response {
 public:
  virtual ~Response() = default;

  // Before Send or BeginStream. Content-Length, Connection, x-request-id and the security headers
  // are the server's business.
  virtual void SetHeader(std::string name, std::string value) = 0;

  virtual void Send(int status, std::string_view content_type, std::string_view body) = 0;

  // Server-sent events and other bodies of unknown length (chunked).
  virtual void BeginStream(int status, std::string_view content_type) = 0;

  // False when the client is gone or has not read for limits' write deadline; stop then.
  virtual bool Write(std::string_view data) = 0;
  virtual void EndStream() = 0;

  // Has the peer closed its end? Cheap (poll + peek); for waiting without writing.
  virtual bool ClientGone() = 0;
};

using Handler = std::function<void(const Request&, Response&)>;

// A pattern is a path whose segments may be `{}` (matches one segment) or end in `{*}` (the rest).
struct Route {
  std::string method;  // "GET" also answers HEAD
  std::string pattern;
  Scope scope;
  Handler handler;
  bool streams = false;  // takes a place among limits::kHttpStreamThreads while it runs
  // Not empty: a body of at most body_bytes_max goes to a file there, which is removed after the
  // handler unless it renamed it.
  std::string body_directory = {};
  size_t body_bytes_max = 0;
  // Looked at before such a body is taken; Content-Length, or nullopt where the body is chunked. What
  // it returns but Ok is the answer.
  std::function<Status(const Request&, std::optional<uint64_t> bytes)> admit = {};
};

// OpenAI's error shape: {"error":{"message","type","param","code"}}; code = HTTP status by default.
std::string ErrorBody(int http_status, std::string_view message, std::string_view param = "",
                      std::string_view code = "");
void SendError(Response& response, int http_status, std::string_view message,
               std::string_view param = "", std::string_view code = "");

// The one switch from StatusCode to HTTP status.
int HttpStatusOf(const Status& status);
void SendStatus(Response& response, const Status& status, std::string_view param = "",
                std::string_view code = "");

}  // namespace hearth::http
