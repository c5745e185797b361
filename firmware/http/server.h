// The HTTP server: CivetWeb's sockets and threads, our gates, bodies, routes and answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "firmware/http/body.h"
#include "firmware/http/response.h"
#include "firmware/http/router.h"

namespace hearth::http {

// One request that has ended, for metrics. Told on the request's thread after the last byte.
struct RequestRecord {
  std::string_view method;   // "other" for one this server does not know
  std::string_view handler;  // the route's pattern; "none" when no route was reached
  std::string_view request_id;
  int status = 0;  // as sent; kStatusClientLeft when not a byte of an answer was
  double duration_s = 0;  // from the complete head to the last byte handed to the kernel
  uint64_t request_bytes = 0;   // of the body
  uint64_t response_bytes = 0;  // head and body
};

// nginx's number for a client that left before its answer. It is never sent.
inline constexpr int kStatusClientLeft = 499;

struct ServerOptions {
  std::string bind_address = "127.0.0.1";  // IPv6 without brackets
  int port = 0;                            // 0: any free one, see Server::port
  std::string tls_certificate_path = {};   // PEM with certificate and key; empty: plain HTTP
  // Names under which clients may call, beside localhost, this machine's host name (alone and with
  // ".local") and the address they connected to.
  std::vector<std::string> allowed_hosts = {};
  // Requests that stream or whose body is still arriving take one of the stream_threads; the others
  // always find one of the reserved ones.
  int stream_threads = limits::kHttpStreamThreads;
  int reserved_threads = limits::kHttpReservedThreads;
  BodyLimits body = {};
  WriteLimits write = {};
  std::function<void(const RequestRecord&)> observer = {};
};

class Server {
 public:
  // kUnavailable when the address cannot be bound, with the system's reason.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Router router);

  ~Server();  // Stop()

  int port() const;
  std::string url() const;  // "http://127.0.0.1:8080"

  // Requests to routes of `scope` that are being answered now, streams to their last byte.
  int ongoing_requests(Scope scope) const;

  // From now on requests to kInfer and kAdmin routes get 503; the page, health and metrics still
  // answer.
  void StopAccepting();

  // StopAccepting, then waits until no request is being answered. False when some still were after
  // `timeout`.
  bool Drain(std::chrono::duration<double> timeout);

  // Closes everything. Streams see ClientGone; waits for handlers to return. Idempotent.
  void Stop();

  // What CivetWeb runs with under the given option name; empty when unset.
  std::string Setting(const std::string& name) const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::http
