#include "firmware/cli/box_client.h"

#include <cctype>

namespace hearth::cli {
namespace {

Result<Json> DocumentOf(const BoxAnswer& answer) {
  if (answer.http_status / 100 != 2) return BoxClient::RefusalOf(answer);
  return answer.json;
}

}  // namespace

std::string PathSegment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string segment;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
      segment += c;
    } else {
      segment += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return segment;
}

BoxClient::BoxClient(const Invocation& invocation)
    : url_(invocation.url.empty() ? kUsualUrl : invocation.url) {
  while (url_.ends_with('/')) url_.pop_back();
}

Result<BoxAnswer> BoxClient::Send(ClientRequest request, const Json& body,
                                  const std::atomic<bool>* stop) {
  const std::string text = body.is_null() ? "" : DumpJson(body);
  request.url = url_ + request.url;
  request.headers = {"X-Hearth-Client: hearth command"};
  if (!body.is_null()) request.headers.push_back("Content-Type: application/json");
  request.body = text;
  HttpClient client(stop);
  const Result<ClientAnswer> answered = client.Do(request);
  if (!answered.ok()) {
    if (stop != nullptr && *stop) return Aborted("interrupted");
    return Status(answered.status().code(),
                  answered.status().message() +
                      "; 'hearth doctor' looks for the reason, --url names another box");
  }
  BoxAnswer answer{answered->status, answered->body, nullptr};
  if (auto json = ParseJson(answer.text); json.ok()) answer.json = std::move(json).value();
  return answer;
}

Result<BoxAnswer> BoxClient::Ask(const std::string& method, const std::string& path,
                                 const Json& body) {
  ClientRequest request;
  request.method = method;
  request.url = path;
  HEARTH_ASSIGN_OR_RETURN(BoxAnswer answer, Send(std::move(request), body, nullptr));
  return answer;
}

Status BoxClient::Stream(const std::string& path, const Json& body, const std::atomic<bool>* stop,
                         const std::function<bool(std::string_view piece)>& on_body) {
  ClientRequest request;
  request.method = "POST";
  request.url = path;
  request.on_body = on_body;
  request.timeout_s = 0;
  request.still_s = 0;  // a model that wakes, a long prompt
  HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer, Send(std::move(request), body, stop));
  return answer.http_status / 100 == 2 ? Status::Ok() : RefusalOf(answer);
}

Status BoxClient::RefusalOf(const BoxAnswer& answer) {
  std::string message = "the box answered " + std::to_string(answer.http_status);
  if (answer.json.is_object() && answer.json.contains("error")) {
    const Json& error = answer.json["error"];
    if (error.is_object() && error.contains("message") && error["message"].is_string()) {
      message = error["message"].get<std::string>();
    }
  }
  switch (answer.http_status) {
    case 400:
      return InvalidArgument(message);
    case 404:
      return NotFound(message);
    case 409:
      return FailedPrecondition(message);
    default:
      return answer.http_status >= 500 ? Unavailable(message) : FailedPrecondition(message);
  }
}

Result<Json> BoxClient::Get(const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer, Ask("GET", path));
  return DocumentOf(answer);
}

Result<Json> BoxClient::Post(const std::string& path, const Json& body) {
  HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer, Ask("POST", path, body));
  return DocumentOf(answer);
}

Result<Json> BoxClient::Delete(const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(const BoxAnswer answer, Ask("DELETE", path));
  return DocumentOf(answer);
}

}  // namespace hearth::cli
