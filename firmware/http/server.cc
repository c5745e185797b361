#include "firmware/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cinttypes>
#include <cstdio>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "civetweb.h"
#include "firmware/http/body_file.h"
#include "firmware/http/civetweb_unit.h"
#include "firmware/http/gates.h"
#include "firmware/http/url.h"

namespace hearth::http {

namespace {

constexpr std::string_view kNoRoute = "none";
constexpr double kDrainS = 2;
constexpr int kInsufficientStorage = 507;

using Settings = std::vector<std::pair<std::string, std::string>>;

class CivetConnection : public Connection {
 public:
  explicit CivetConnection(mg_connection* connection) : connection_(connection) {}

  int ReadSome(std::span<char> buffer, double timeout_s) override {
    return hearth_cw_read_some(connection_, buffer.data(), static_cast<int>(buffer.size()),
                               timeout_s);
  }
  int WriteSome(std::string_view head, std::string_view body, double timeout_s) override {
    const auto piece = [](std::string_view data) {
      constexpr size_t kPieceBytesMax = size_t{1} << 20;
      return iovec{const_cast<char*>(data.data()), std::min(data.size(), kPieceBytesMax)};
    };
    return hearth_cw_write_some(connection_, piece(head), piece(body), timeout_s);
  }
  // POLLRDHUP tells of the peer's FIN even behind unread bytes, as a TLS close alert leaves them.
  bool PeerGone() override {
    pollfd poll_fd{hearth_cw_socket(connection_), POLLRDHUP, 0};
    if (hearth_cw_stopping(connection_) != 0) return true;
    return poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }
  void CloseAfterAnswer() override { hearth_cw_close_after_answer(connection_); }
  bool KeepsAlive() override { return hearth_cw_keeps_alive(connection_) != 0; }
  void LimitSendBuffer(int bytes) override {
    setsockopt(hearth_cw_socket(connection_), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
  }

  // Sends FIN. Under TLS the library's close does that, after its own alert.
  void FinishSending() {
    const bool is_tls = mg_get_request_info(connection_)->is_ssl != 0;
    if (!is_tls) shutdown(hearth_cw_socket(connection_), SHUT_WR);
  }

  // The address that the client connected to; IPv4 in its own form on a dual-stack listener too.
  std::string LocalAddress() const {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (getsockname(hearth_cw_socket(connection_), generic, &length) != 0) return "";
    const void* bytes =
        address.ss_family == AF_INET6
            ? static_cast<void*>(&reinterpret_cast<sockaddr_in6*>(generic)->sin6_addr)
            : &reinterpret_cast<sockaddr_in*>(generic)->sin_addr;
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(address.ss_family, bytes, text, sizeof(text)) == nullptr) return "";
    std::string_view name(text);
    constexpr std::string_view kMappedPrefix = "::ffff:";
    if (name.starts_with(kMappedPrefix)) name.remove_prefix(kMappedPrefix.size());
    return std::string(name);
  }

 private:
  mg_connection* const connection_;
};

// Unique, not secret: where this process stands among all others, then a count.
std::string NewRequestId() {
  static const uint64_t process = [] {
    uint64_t random = 0;
    CHECK(getrandom(&random, sizeof(random), 0) == sizeof(random));
    return random;
  }();
  static std::atomic<uint64_t> count{0};
  char id[33];
  std::snprintf(id, sizeof(id), "%016" PRIx64 "%016" PRIx64, process, ++count);
  return id;
}

RequestHead HeadOf(const mg_connection* connection) {
  const mg_request_info& info = *mg_get_request_info(connection);
  RequestHead head;
  head.method = info.request_method;
  head.version = info.http_version;
  head.target = info.request_uri;
  if (info.query_string != nullptr) head.query = info.query_string;
  for (int i = 0; i < info.num_headers; ++i) {
    head.headers.emplace_back(info.http_headers[i].name, info.http_headers[i].value);
  }
  size_t length = 0;
  const char* const bytes = hearth_cw_head(connection, &length);
  ReadHeadLayout({bytes, length}, head);
  return head;
}

// "127.0.0.1:8080", "[::1]:8080".
std::string Authority(const std::string& address, int port) {
  const bool is_ipv6 = address.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

std::string ListenerOf(const ServerOptions& options) {
  return Authority(options.bind_address, options.port) +
         (options.tls_certificate_path.empty() ? "" : "s");
}

// Everything is set that has a default somebody could be hurt by.
Settings SettingsOf(const ServerOptions& options) {
  const int threads = options.stream_threads + options.reserved_threads;
  Settings settings = {
      {"listening_ports", ListenerOf(options)},
      {"num_threads", std::to_string(threads)},
      {"connection_queue", std::to_string(2 * threads)},
      {"listen_backlog", "1024"},
      {"tcp_nodelay", "1"},  // 44 ms a request otherwise: Nagle waits for the delayed ACK
      {"enable_keep_alive", "yes"},
      {"keep_alive_timeout_ms", "5000"},  // an idle connection holds a thread
      {"request_timeout_ms", "10000"},    // for the head
      {"linger_timeout_ms", "-1"},  // close in the background; what was written is still delivered
      {"max_request_size", std::to_string(limits::kHeaderBytesMax)},
      {"decode_url", "no"},  // ParseTarget decodes once, after the checks
      {"decode_query_string", "no"},
      {"enable_directory_listing", "no"},
      {"enable_auth_domain_check", "no"},   // CheckHost has the names
      {"access_control_allow_origin", ""},  // by default preflights of every origin are granted
      {"access_control_allow_methods", ""},
      {"access_control_allow_headers", ""},
  };
  if (!options.tls_certificate_path.empty()) {
    settings.emplace_back("ssl_certificate", options.tls_certificate_path);
    settings.emplace_back("ssl_protocol_version", "4");  // TLS 1.2 and later
  }
  return settings;
}

std::vector<std::string> OwnNames(const ServerOptions& options) {
  std::vector<std::string> names = {"localhost"};
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) == 0 && host[0] != '\0') {
    names.push_back(LowerCase(host));
    names.push_back(LowerCase(host) + ".local");
  }
  for (const std::string& name : options.allowed_hosts) names.push_back(HostName(name));
  return names;
}

// What became of the answer, for the record.
int StatusOf(const ConnectionResponse& response) {
  return response.bytes_sent() == 0 ? kStatusClientLeft : response.status();
}

// A place among a bounded number, given back at the end of the scope.
class Place {
 public:
  explicit Place(std::atomic<int>& free) : free_(free), taken_(free.fetch_sub(1) > 0) {
    if (!taken_) free_.fetch_add(1);
  }
  ~Place() {
    if (taken_) free_.fetch_add(1);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool taken() const { return taken_; }

 private:
  std::atomic<int>& free_;
  const bool taken_;
};

// Counts itself while it lives.
class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<int>& count_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Router router)
      : options_(std::move(options)),
        router_(std::move(router)),
        own_names_(OwnNames(options_)),
        free_stream_places_(options_.stream_threads) {}
  ~Impl() { Stop(); }

  Status Start();
  void Stop();
  bool Drain(std::chrono::duration<double> timeout);
  void StopAccepting() { accepting_ = false; }

  mg_context* context() const { return context_; }
  int port() const { return port_; }
  const ServerOptions& options() const { return options_; }
  const std::atomic<int>& ongoing(Scope scope) const {
    return ongoing_[static_cast<size_t>(scope)];
  }

 private:
  static Impl& Of(const mg_connection* connection) {
    return *static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
  }
  static int OnRequest(mg_connection* connection);
  static int OnParseError(mg_connection* connection, int status, const char* text);
  static int OnMessage(const mg_connection* connection, const char* text);

  // Takes one request from its head to the record of its answer. Returns the HTTP status.
  int Serve(mg_connection* raw);
  void Answer(CivetConnection& connection, const RequestHead& head, Request& request,
              ConnectionResponse& response, RequestRecord& record);
  std::optional<Refusal> CheckMatch(const Router::Match& match, const Request& request) const;
  bool ReceiveBody(CivetConnection& connection, const BodyFraming& framing, const Route& route,
                   Request& request, ConnectionResponse& response,
                   std::unique_ptr<BodyFile>& file);
  void Handle(CivetConnection& connection, const Route& route, const Request& request,
              ConnectionResponse& response);
  void Refuse(CivetConnection& connection, ConnectionResponse& response, const Refusal& refusal);
  std::optional<Refusal> Parse(const CivetConnection& connection, const RequestHead& head,
                               Request& request) const;

  const ServerOptions options_;
  const Router router_;
  const std::vector<std::string> own_names_;
  mg_context* context_ = nullptr;
  int port_ = 0;
  std::mutex start_mutex_;
  bool starting_ = true;
  std::string start_messages_;  // what CivetWeb says before it runs: why it does not

  std::atomic<bool> accepting_{true};
  std::atomic<int> free_stream_places_;
  std::array<std::atomic<int>, kScopeCount> ongoing_{};  // by Scope

  // The mutex is for Drain's waiting alone: no request takes it before the server shuts down.
  std::atomic<int> in_flight_{0};
  std::mutex idle_mutex_;
  std::condition_variable idle_;
};

Status Server::Impl::Start() {
  static const unsigned library = mg_init_library(MG_FEATURES_TLS | MG_FEATURES_IPV6);
  if ((library & MG_FEATURES_TLS) == 0) return Internal("CivetWeb was built without TLS");

  const Settings settings = SettingsOf(options_);
  std::vector<const char*> flat;
  for (const auto& [name, value] : settings) {
    flat.push_back(name.c_str());
    flat.push_back(value.c_str());
  }
  flat.push_back(nullptr);
  mg_callbacks callbacks{};
  callbacks.begin_request = &OnRequest;
  callbacks.http_error = &OnParseError;
  callbacks.log_message = &OnMessage;
  context_ = mg_start(&callbacks, this, flat.data());
  std::lock_guard lock(start_mutex_);
  starting_ = false;
  if (context_ == nullptr) {
    return Unavailable("cannot serve HTTP on " + ListenerOf(options_) + ": " + start_messages_);
  }
  mg_server_port listener{};
  mg_get_server_ports(context_, 1, &listener);
  port_ = listener.port;
  return Status::Ok();
}

void Server::Impl::Stop() {
  if (context_ != nullptr) mg_stop(std::exchange(context_, nullptr));
}

bool Server::Impl::Drain(std::chrono::duration<double> timeout) {
  StopAccepting();
  std::unique_lock lock(idle_mutex_);
  return idle_.wait_for(lock, timeout, [&] { return in_flight_ == 0; });
}

int Server::Impl::OnMessage(const mg_connection* connection, const char* text) {
  Impl& impl = Of(connection);
  {
    std::lock_guard lock(impl.start_mutex_);
    std::string& messages = impl.start_messages_;
    if (impl.starting_) messages.append(messages.empty() ? "" : "; ").append(text);
  }
  LOG(kDebug) << "civetweb: " << text;
  return 1;
}

int Server::Impl::OnRequest(mg_connection* connection) {
  Impl& impl = Of(connection);
  ++impl.in_flight_;
  const int status = impl.Serve(connection);
  if (--impl.in_flight_ == 0 && !impl.accepting_) {
    std::lock_guard lock(impl.idle_mutex_);
    impl.idle_.notify_all();
  }
  return status;
}

// CivetWeb could not read a request at all: no head, no route, and nobody knows where it ends.
int Server::Impl::OnParseError(mg_connection* raw, int status, const char* text) {
  Impl& impl = Of(raw);
  CivetConnection connection(raw);
  const double arrival_time_s = MonotonicSeconds();
  const std::string request_id = NewRequestId();
  ConnectionResponse response(connection, impl.options_.write, *Clock::System(),
                              {.request_id = request_id});
  const mg_request_info& info = *mg_get_request_info(raw);
  Refusal refusal{status, text, ""};
  if (hearth_cw_head_overflowed(raw) != 0) {
    refusal = {431,
               "the request's head exceeds " + std::to_string(limits::kHeaderBytesMax) + " bytes",
               ""};
  } else if (status == 411) {
    refusal = {400, "Content-Length is not a number of bytes", ""};
  } else if (status == 400 && info.http_version != nullptr && !IsKnownMethod(info.request_method)) {
    refusal = {405, "this method is not served", std::string(kMethods)};
  }
  impl.Refuse(connection, response, refusal);
  if (impl.options_.observer) {
    impl.options_.observer({.method = "other",
                            .handler = kNoRoute,
                            .request_id = request_id,
                            .status = StatusOf(response),
                            .duration_s = MonotonicSeconds() - arrival_time_s,
                            .response_bytes = response.bytes_sent()});
  }
  return 0;
}

int Server::Impl::Serve(mg_connection* raw) {
  CivetConnection connection(raw);
  const RequestHead head = HeadOf(raw);
  Request request;
  request.arrival_time_s = MonotonicSeconds();
  request.method = head.method;
  request.remote_address = mg_get_request_info(raw)->remote_addr;
  for (const auto& [name, value] : head.headers) request.headers.emplace_back(name, Trim(value));
  request.request_id = request.Header("x-request-id");
  if (!IsSaneRequestId(request.request_id)) request.request_id = NewRequestId();

  ConnectionResponse response(connection, options_.write, *Clock::System(),
                              {.is_head = head.method == "HEAD",
                               .is_http_1_0 = head.version == "1.0",
                               .request_id = request.request_id});
  RequestRecord record{
      .method = request.method, .handler = kNoRoute, .request_id = request.request_id};
  if (const auto refusal = Parse(connection, head, request)) {
    if (refusal->status == 405) record.method = "other";
    Refuse(connection, response, *refusal);
  } else {
    Answer(connection, head, request, response, record);
  }
  record.status = StatusOf(response);
  record.duration_s = MonotonicSeconds() - request.arrival_time_s;
  record.request_bytes = request.body.size();
  record.response_bytes = response.bytes_sent();
  if (options_.observer) options_.observer(record);
  return record.status;
}

std::optional<Refusal> Server::Impl::Parse(const CivetConnection& connection,
                                           const RequestHead& head, Request& request) const {
  if (auto refusal = CheckHead(head)) return refusal;
  Target target;
  if (auto refusal = ParseTarget(head.target, target)) return refusal;
  if (auto refusal = CheckHost(head, target, own_names_, connection.LocalAddress())) return refusal;
  if (auto refusal = CheckOrigin(head)) return refusal;
  request.path = std::move(target.path);
  request.query = head.query;
  return std::nullopt;
}

void Server::Impl::Refuse(CivetConnection& connection, ConnectionResponse& response,
                          const Refusal& refusal) {
  connection.CloseAfterAnswer();
  if (!refusal.allow.empty()) response.SetHeader("Allow", refusal.allow);
  SendError(response, refusal.status, refusal.message);
  connection.FinishSending();
  DrainBody(connection, kDrainS, *Clock::System());
}

std::optional<Refusal> Server::Impl::CheckMatch(const Router::Match& match,
                                                const Request& request) const {
  if (match.route == nullptr && match.allow.empty()) {
    return Refusal{404, "there is nothing at " + request.path, ""};
  }
  if (match.route == nullptr) {
    return Refusal{405, request.path + " does not take " + request.method, match.allow};
  }
  const bool is_work = match.route->scope == Scope::kInfer || match.route->scope == Scope::kAdmin;
  if (is_work && !accepting_) return Refusal{503, "the server is shutting down", ""};
  return std::nullopt;
}

void Server::Impl::Answer(CivetConnection& connection, const RequestHead& head, Request& request,
                          ConnectionResponse& response, RequestRecord& record) {
  Router::Match match = router_.Find(request.method, request.path);
  std::optional<Counted> counted;
  if (match.route != nullptr) {
    record.handler = match.route->pattern;
    counted.emplace(ongoing_[static_cast<size_t>(match.route->scope)]);
  }
  const BodyFraming framing = FramingOf(head);
  const bool has_body = framing.chunked || framing.content_length.value_or(0) > 0;

  std::optional<Refusal> refusal = CheckMatch(match, request);
  std::optional<Place> place;
  if (!refusal && (match.route->streams || has_body)) {
    place.emplace(free_stream_places_);
    if (!place->taken()) {
      const std::string places = std::to_string(options_.stream_threads);
      refusal = Refusal{503, "all " + places + " places for streams are taken; retry later", ""};
    }
  }
  if (refusal && has_body) return Refuse(connection, response, *refusal);
  if (refusal) {
    if (!refusal->allow.empty()) response.SetHeader("Allow", refusal->allow);
    return SendError(response, refusal->status, refusal->message);
  }
  request.path_parameters = std::move(match.parameters);
  std::unique_ptr<BodyFile> file;
  if (has_body &&
      !ReceiveBody(connection, framing, *match.route, request, response, file)) {
    return;
  }
  if (!match.route->streams) place.reset();
  Handle(connection, *match.route, request, response);
}

// False when the body did not come; what there was to answer has been answered.
bool Server::Impl::ReceiveBody(CivetConnection& connection, const BodyFraming& framing,
                               const Route& route, Request& request, ConnectionResponse& response,
                               std::unique_ptr<BodyFile>& file) {
  BodyLimits limits = options_.body;
  BodySink sink = [&](std::string_view piece) -> std::optional<BodyFailure> {
    request.body.append(piece);
    return std::nullopt;
  };
  if (!route.body_directory.empty()) {
    limits.bytes_max = route.body_bytes_max;
    const Status admitted =
        route.admit ? route.admit(request, framing.content_length) : Status::Ok();
    if (!admitted.ok()) {
      const bool is_full = admitted.code() == StatusCode::kResourceExhausted;
      Refuse(connection, response,
             {is_full ? kInsufficientStorage : HttpStatusOf(admitted), admitted.message(), ""});
      return false;
    }
    auto made = BodyFile::Make(route.body_directory, framing.content_length.value_or(0));
    if (!made.ok()) {
      Refuse(connection, response, {kInsufficientStorage, made.status().message(), ""});
      return false;
    }
    file = *std::move(made);
    request.body_path = file->path();
    sink = [&](std::string_view piece) -> std::optional<BodyFailure> {
      const Status written = file->Write(piece);
      if (written.ok()) return std::nullopt;
      return BodyFailure{kInsufficientStorage, written.message()};
    };
  }
  const bool expects_leave = EqualsIgnoringCase(request.Header("Expect"), "100-continue");
  if (expects_leave && framing.content_length.value_or(0) <= limits.bytes_max) {
    connection.WriteSome("HTTP/1.1 100 Continue\r\n\r\n", {}, options_.write.stall_s);
  }
  // Bytes behind a chunked body cannot be handed back to CivetWeb as the next request.
  if (framing.chunked) connection.CloseAfterAnswer();
  const auto failure = ReadBody(connection, framing, limits, *Clock::System(), sink);
  if (!failure) return true;
  if (failure->status == 0) {
    connection.CloseAfterAnswer();
  } else {
    Refuse(connection, response, {failure->status, failure->message, ""});
  }
  return false;
}

// The border of the handlers: whatever they throw or forget, the client gets one well-formed answer
// or a stream that visibly breaks off.
void Server::Impl::Handle(CivetConnection& connection, const Route& route, const Request& request,
                          ConnectionResponse& response) {
  try {
    route.handler(request, response);
  } catch (const std::exception& error) {
    LOG(kError) << request.method << ' ' << route.pattern << " (request " << request.request_id
                << ") failed: " << error.what();
    connection.CloseAfterAnswer();
    if (response.started()) return;
    SendError(response, 500, "internal error; the log has it under this request's id");
    return;
  }
  if (!response.started() && response.ClientGone()) return connection.CloseAfterAnswer();
  if (!response.started()) {
    LOG(kError) << request.method << ' ' << route.pattern << " was not answered by its handler";
    SendError(response, 500, "internal error: no answer");
  }
  response.EndStream();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Router router) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(router));
  HEARTH_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

int Server::port() const { return impl_->port(); }

std::string Server::url() const {
  const ServerOptions& options = impl_->options();
  return (options.tls_certificate_path.empty() ? "http://" : "https://") +
         Authority(options.bind_address, port());
}

int Server::ongoing_requests(Scope scope) const { return impl_->ongoing(scope); }
void Server::StopAccepting() { impl_->StopAccepting(); }
bool Server::Drain(std::chrono::duration<double> timeout) { return impl_->Drain(timeout); }
void Server::Stop() { impl_->Stop(); }

std::string Server::Setting(const std::string& name) const {
  const char* const value = mg_get_option(impl_->context(), name.c_str());
  return value == nullptr ? "" : value;
}

}  // namespace hearth::http
