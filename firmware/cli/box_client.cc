#include "firmware/cli/box_client.h"

#include "firmware/http_client/http_client.h"

namespace hearth::cli {

BoxClient::BoxClient(const Invocation& invocation)
    : url_(invocation.url.empty() ? kUsualUrl : invocation.url) {
  while (url_.ends_with('/')) url_.pop_back();
}

Result<BoxAnswer> BoxClient::Ask(const std::string& method, const std::string& path,
                                 const Json& body) {
  const std::string text = body.is_null() ? "" : DumpJson(body);
  ClientRequest request;
  request.method = method;
  request.url = url_ + path;
  request.headers = {"X-Hearth-Client: hearth command"};
  if (!body.is_null()) request.headers.push_back("Content-Type: application/json");
  request.body = text;
  HttpClient client;
  HEARTH_ASSIGN_OR_RETURN(ClientAnswer answered, client.Do(request));
  BoxAnswer answer{answered.status, std::move(answered.body), nullptr};
  if (auto json = ParseJson(answer.text); json.ok()) answer.json = std::move(json).value();
  return answer;
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
  HEARTH_ASSIGN_OR_RETURN(BoxAnswer answer, Ask("GET", path));
  if (answer.http_status / 100 != 2) return RefusalOf(answer);
  return std::move(answer.json);
}

Result<Json> BoxClient::Post(const std::string& path, const Json& body) {
  HEARTH_ASSIGN_OR_RETURN(BoxAnswer answer, Ask("POST", path, body));
  if (answer.http_status / 100 != 2) return RefusalOf(answer);
  return std::move(answer.json);
}

}  // namespace hearth::cli
