#include "firmware/api/requests_api.h"

#include <charconv>
#include <cmath>

#include "base/fields.h"

namespace hearth::api {
namespace {

constexpr double kLimitMax = 1000;
constexpr double kIdMax = 9e15;  // whole numbers of a double
constexpr double kSecondsMax = 1e12;

Status ReadNumber(const http::Request& request, std::string_view name, double min, double max,
                  std::optional<double>& out) {
  const std::string text = request.Parameter(name).value_or("");
  if (text.empty()) return Status::Ok();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  if (!is_whole || !(number >= min && number <= max)) {
    return InvalidArgument("'" + std::string(name) + "' is '" + text + "'; it must be a number from " +
                           std::to_string(std::llround(min)) + " to " +
                           std::to_string(std::llround(max)));
  }
  out = number;
  return Status::Ok();
}

// "404" or "4xx".
Status ReadStatus(const http::Request& request, RequestFilter& filter) {
  const std::string text = request.Parameter("status").value_or("");
  if (text.empty()) return Status::Ok();
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() == 3 && is_digit(text[0])) {
    const int hundreds = (text[0] - '0') * 100;
    if (text.ends_with("xx")) {
      filter.status_min = hundreds;
      filter.status_max = hundreds + 99;
      return Status::Ok();
    }
    if (is_digit(text[1]) && is_digit(text[2])) {
      filter.status_min = filter.status_max = hundreds + (text[1] - '0') * 10 + (text[2] - '0');
      return Status::Ok();
    }
  }
  return InvalidArgument("'status' is '" + text + "'; it must be a status as 404, or a class as 4xx");
}

Result<RequestFilter> ReadFilter(const http::Request& request) {
  RequestFilter filter;
  filter.model_name = request.Parameter("model").value_or("");
  filter.endpoint = request.Parameter("endpoint").value_or("");
  filter.outcome = request.Parameter("outcome").value_or("");
  filter.request_id = request.Parameter("id").value_or("");
  HEARTH_RETURN_IF_ERROR(ReadStatus(request, filter));
  std::optional<double> since, before, slow, limit;
  HEARTH_RETURN_IF_ERROR(ReadNumber(request, "since", 0, kSecondsMax, since));
  HEARTH_RETURN_IF_ERROR(ReadNumber(request, "before", 0, kIdMax, before));
  HEARTH_RETURN_IF_ERROR(ReadNumber(request, "min_ms", 0, kIdMax, slow));
  HEARTH_RETURN_IF_ERROR(ReadNumber(request, "limit", 1, kLimitMax, limit));
  filter.since_ms = std::llround(since.value_or(0) * 1000);
  if (before) filter.before = std::llround(*before);
  filter.e2e_ms_min = slow.value_or(0);
  if (limit) filter.limit = static_cast<size_t>(*limit);
  const std::string order = request.Parameter("order").value_or("newest");
  if (order != "newest" && order != "slowest") {
    return InvalidArgument("'order' is '" + order + "'; it must be newest or slowest");
  }
  filter.slowest_first = order == "slowest";
  return filter;
}

Result<Json> Answer(const RequestLog& log, const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const RequestFilter filter, ReadFilter(request));
  const FoundRequests found = log.Find(filter);
  Json rows = Json::array();
  for (const LoggedRequest& row : found.requests) {
    Json object = ToJson(row);
    if (row.error.empty()) object["error"] = nullptr;
    rows.push_back(std::move(object));
  }
  return Json{{"requests", std::move(rows)},
              {"matched", found.matched},
              {"kept", found.kept},
              {"oldest_ms", found.oldest_ms ? Json(*found.oldest_ms) : Json()},
              {"models", found.model_names}};
}

}  // namespace

std::vector<http::Route> RequestsRoutes(const RequestLog* log) {
  return {{"GET", "/api/requests", http::Scope::kMetrics,
           [=](const http::Request& request, http::Response& response) {
             const Result<Json> json = Answer(*log, request);
             if (!json.ok()) return http::SendStatus(response, json.status());
             response.SetHeader("Cache-Control", "no-store");
             response.Send(200, "application/json", DumpJson(*json));
           }}};
}

}  // namespace hearth::api
