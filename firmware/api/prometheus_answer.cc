#include "firmware/api/prometheus_answer.h"

#include <string_view>
#include <utility>

#include "base/gzip.h"
#include "firmware/http/negotiation.h"
#include "storage/promql/answer_json.h"

namespace hearth::api {

namespace {

constexpr std::string_view kJson = "application/json";
// Below this, compressing saves no packet.
constexpr size_t kGzipBytesMin = 1024;
// Panels are made anew for each request: a fast compression is worth more than a small answer.
constexpr int kGzipLevel = 1;
constexpr size_t kAnnotationsMax = 10;  // of each kind, as Prometheus

struct ErrorKind {
  std::string_view type;
  int http_status;
};

ErrorKind KindOf(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument: return {"bad_data", 400};
    case StatusCode::kFailedPrecondition:
    case StatusCode::kResourceExhausted: return {"execution", 422};
    case StatusCode::kDeadlineExceeded: return {"timeout", 503};
    case StatusCode::kAborted: return {"canceled", 499};
    case StatusCode::kUnavailable: return {"unavailable", 503};
    case StatusCode::kNotFound: return {"not_found", 404};
    default: return {"internal", 500};
  }
}

void SendJson(const http::Request& request, http::Response& response, int status,
              std::string_view body) {
  response.SetHeader("Vary", "Accept-Encoding");
  if (body.size() < kGzipBytesMin || !http::AcceptsGzip(request.Header("Accept-Encoding"))) {
    return response.Send(status, kJson, body);
  }
  response.SetHeader("Content-Encoding", "gzip");
  response.Send(status, kJson, GzipCompress(body, kGzipLevel));
}

void KeepFirst(std::vector<std::string>& texts, const char* kind) {
  if (texts.size() <= kAnnotationsMax) return;
  const size_t omitted = texts.size() - kAnnotationsMax;
  texts.resize(kAnnotationsMax);
  texts.push_back(std::to_string(omitted) + " more " + kind + " annotations omitted");
}

void Respond(const Work& work, const http::Request& request, http::Response& response) {
  Result<Answer> answer = work(request);
  std::string body;
  if (!answer.ok()) {
    const ErrorKind kind = KindOf(answer.status().code());
    body = "{\"status\":\"error\",\"errorType\":\"";
    body += kind.type;
    body += "\",\"error\":";
    promql::AppendJsonString(answer.status().message(), body);
    body += '}';
    return SendJson(request, response, kind.http_status, body);
  }
  KeepFirst(answer->annotations.warnings, "warning");
  KeepFirst(answer->annotations.infos, "info");
  body = "{\"status\":\"success\",\"data\":";
  body += answer->data;
  promql::AppendJson(answer->annotations, body);
  body += '}';
  SendJson(request, response, 200, body);
}

}  // namespace

http::Route PrometheusRoute(std::string method, const std::string& path, Work work) {
  return {std::move(method), "/api/v1/" + path, http::Scope::kMetrics,
          [work = std::move(work)](const http::Request& request, http::Response& response) {
            Respond(work, request, response);
          }};
}

}  // namespace hearth::api
