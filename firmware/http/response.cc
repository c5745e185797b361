#include "firmware/http/response.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/check.h"
#include "firmware/http/url.h"

namespace hearth::http {

namespace {

// On every answer: an error page is a page too. No script is inline and nothing comes from
// elsewhere.
constexpr std::string_view kSecurityHeaders =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n";

// Written anew when its second has passed.
std::string_view HttpDate() {
  thread_local time_t written = 0;
  thread_local char text[32];
  const time_t now = time(nullptr);
  if (now != written) {
    tm utc{};
    gmtime_r(&now, &utc);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    written = now;
  }
  return text;
}

bool HasBody(int status) { return status >= 200 && status != 204 && status != 304; }

void AppendHeader(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

void ConnectionResponse::SetHeader(std::string name, std::string value) {
  CHECK(!started()) << "header " << name << " set after the head was sent";
  // A value may come from a request; a line break in it would start another header.
  for (char& c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  const auto same = std::find_if(headers_.begin(), headers_.end(), [&](const auto& header) {
    return EqualsIgnoringCase(header.first, name);
  });
  if (same != headers_.end()) {
    same->second = std::move(value);
  } else {
    headers_.emplace_back(std::move(name), std::move(value));
  }
}

std::string ConnectionResponse::Head(int status, std::string_view content_type) const {
  std::string head;
  head.reserve(1024);
  head.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  head.append(ReasonPhrase(status)).append("\r\n");
  AppendHeader(head, "Date", HttpDate());
  if (!content_type.empty()) AppendHeader(head, "Content-Type", content_type);
  bool cache_control = false;
  for (const auto& [name, value] : headers_) {
    AppendHeader(head, name, value);
    cache_control = cache_control || EqualsIgnoringCase(name, "Cache-Control");
  }
  if (!cache_control) AppendHeader(head, "Cache-Control", "no-store");
  AppendHeader(head, "x-request-id", properties_.request_id);
  head += kSecurityHeaders;
  AppendHeader(head, "Connection", connection_.KeepsAlive() ? "keep-alive" : "close");
  return head;
}

void ConnectionResponse::Send(int status, std::string_view content_type, std::string_view body) {
  CHECK(!started()) << "a second answer to one request";
  std::string message = Head(status, content_type);
  if (HasBody(status)) AppendHeader(message, "Content-Length", std::to_string(body.size()));
  message += "\r\n";
  status_ = status;
  if (properties_.is_head || !HasBody(status)) body = {};
  // Under TLS each piece is a record and a packet of its own; a small answer is one.
  constexpr size_t kJoinBytesMax = 4096;
  if (body.size() <= kJoinBytesMax) message.append(std::exchange(body, {}));
  WriteAll(message, body);
}

void ConnectionResponse::BeginStream(int status, std::string_view content_type) {
  CHECK(!started()) << "a second answer to one request";
  connection_.LimitSendBuffer(limits_.stream_send_buffer_bytes);
  if (properties_.is_http_1_0) connection_.CloseAfterAnswer();
  std::string head = Head(status, content_type);
  if (!properties_.is_http_1_0) AppendHeader(head, "Transfer-Encoding", "chunked");
  head += "\r\n";
  status_ = status;
  streaming_ = true;
  WriteAll(head);
}

bool ConnectionResponse::Write(std::string_view data) {
  CHECK(streaming_) << "Write outside a stream";
  if (properties_.is_head) return false;
  if (data.empty()) return !broken_;  // an empty chunk would end the stream
  if (properties_.is_http_1_0) return WriteAll(data);
  char size[16];
  char* const size_end = std::to_chars(size, size + sizeof(size), data.size(), 16).ptr;
  std::string chunk;
  chunk.reserve(data.size() + 20);
  chunk.append(size, size_end).append("\r\n").append(data).append("\r\n");
  return WriteAll(chunk);
}

void ConnectionResponse::EndStream() {
  if (!streaming_) return;
  streaming_ = false;
  if (!properties_.is_head && !properties_.is_http_1_0) WriteAll("0\r\n\r\n");
}

bool ConnectionResponse::ClientGone() { return broken_ || connection_.PeerGone(); }

bool ConnectionResponse::WriteAll(std::string_view head, std::string_view body) {
  if (broken_) return false;
  const double end_s = clock_.MonotonicSeconds() + limits_.stall_s +
                       static_cast<double>(head.size() + body.size()) / limits_.bytes_per_s;
  while (!head.empty() || !body.empty()) {
    const double left_s = end_s - clock_.MonotonicSeconds();
    const int count = left_s <= 0 ? Connection::kGone : connection_.WriteSome(head, body, left_s);
    if (count < 0) {
      broken_ = true;
      connection_.CloseAfterAnswer();
      return false;
    }
    bytes_sent_ += static_cast<uint64_t>(count);
    const size_t of_head = std::min(head.size(), static_cast<size_t>(count));
    head.remove_prefix(of_head);
    body.remove_prefix(static_cast<size_t>(count) - of_head);
  }
  return true;
}

}  // namespace hearth::http
