#include "firmware/api/metrics_api.h"

#include <array>

#include "firmware/http/negotiation.h"

namespace hearth::api {
namespace {

// Text for everybody, OpenMetrics for who prefers it; Prometheus 3 names an escaping scheme, which
// changes nothing here: every name of ours is in the old character set.
constexpr std::array<std::string_view, 3> kContentTypes = {
    metrics::kTextContentType, metrics::kOpenMetricsContentType,
    "application/openmetrics-text; version=1.0.0; escaping=allow-utf-8; charset=utf-8"};

Result<metrics::Timestamps> TimestampsParameter(const http::Request& request) {
  const std::string text = request.Parameter("timestamps").value_or("0");
  if (text == "0") return metrics::Timestamps::kNone;
  if (text == "1") return metrics::Timestamps::kSample;
  return InvalidArgument("timestamps is '" + text + "'; it must be 1, for lines with the time of " +
                         "their sample, or 0");
}

void HandleMetrics(metrics::MetricsPages& pages, metrics::ViewSet views,
                   const http::Request& request, http::Response& response) {
  if (const auto names = request.Parameters("view"); !names.empty()) {
    const auto parsed = metrics::ParseViews(names);
    if (!parsed.ok()) return http::SendStatus(response, parsed.status(), "view");
    views = *parsed;
  }
  const auto timestamps = TimestampsParameter(request);
  if (!timestamps.ok()) return http::SendStatus(response, timestamps.status(), "timestamps");
  // A scraper that accepts neither gets the text format: Prometheus's own rule.
  const size_t offer = http::ChooseMediaType(request.Header("Accept"), kContentTypes).value_or(0);
  const auto format = offer == 0 ? metrics::Format::kText : metrics::Format::kOpenMetrics;
  const bool gzip = http::AcceptsGzip(request.Header("Accept-Encoding"));
  const auto page = pages.Page({format, views, *timestamps, gzip});
  response.SetHeader("Vary", "Accept, Accept-Encoding");
  if (gzip) response.SetHeader("Content-Encoding", "gzip");
  response.Send(200, kContentTypes[offer], *page);
}

}  // namespace

std::vector<http::Route> MetricsRoutes(metrics::MetricsPages* pages, metrics::ViewSet views) {
  return {{"GET", "/metrics", http::Scope::kMetrics,
           [=](const http::Request& request, http::Response& response) {
             HandleMetrics(*pages, views, request, response);
           }}};
}

}  // namespace hearth::api
