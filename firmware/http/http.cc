#include "firmware/http/http.h"

#include "base/json.h"
#include "firmware/http/url.h"

namespace hearth::http {

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoringCase(key, name)) return value;
  }
  return {};
}

std::optional<std::string> Request::Parameter(std::string_view name) const {
  std::vector<std::string> values = Parameters(name);
  if (values.empty()) return std::nullopt;
  return std::move(values.front());
}

std::vector<std::string> Request::Parameters(std::string_view name) const {
  std::vector<std::string> values;
  const auto collect = [&](std::string_view form) {
    for (auto& [key, value] : ParseForm(form)) {
      if (key == name) values.push_back(std::move(value));
    }
  };
  collect(query);
  if (Header("Content-Type").starts_with("application/x-www-form-urlencoded")) collect(body);
  return values;
}

namespace {

// The names vLLM and OpenAI clients switch on.
std::string_view ErrorType(int http_status) {
  switch (http_status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 429: return "rate_limit_error";
    case 503: return "unavailable_error";
    default: return http_status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

std::string ErrorBody(int http_status, std::string_view message, std::string_view param,
                      std::string_view code) {
  Json error;
  error["message"] = message;
  error["type"] = ErrorType(http_status);
  error["param"] = param.empty() ? Json(nullptr) : Json(param);
  error["code"] = code.empty() ? Json(http_status) : Json(code);
  return DumpJson(Json{{"error", std::move(error)}});
}

void SendError(Response& response, int http_status, std::string_view message,
               std::string_view param, std::string_view code) {
  if (http_status == 429 || http_status == 503) response.SetHeader("Retry-After", "1");
  response.Send(http_status, "application/json", ErrorBody(http_status, message, param, code));
}

int HttpStatusOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return 200;
    case StatusCode::kInvalidArgument: return 400;
    case StatusCode::kNotFound: return 404;
    case StatusCode::kFailedPrecondition: return 409;
    case StatusCode::kResourceExhausted: return 429;
    case StatusCode::kAborted:
    case StatusCode::kUnavailable: return 503;
    case StatusCode::kDeadlineExceeded: return 504;
    case StatusCode::kDataLoss:
    case StatusCode::kInternal: return 500;
  }
  return 500;
}

void SendStatus(Response& response, const Status& status, std::string_view param,
                std::string_view code) {
  SendError(response, HttpStatusOf(status), status.message(), param, code);
}

}  // namespace hearth::http
