#include "firmware/api/events_api.h"

#include <charconv>
#include <cmath>

#include "base/json.h"

namespace hearth::api {
namespace {

constexpr int64_t kDefaultSpanMs = 86'400'000;
constexpr double kSecondsMax = 1e12;  // beyond it milliseconds would lose their meaning

Result<int64_t> TimeOf(const http::Request& request, std::string_view name, int64_t absent_ms) {
  const std::string text = request.Parameter(name).value_or("");
  if (text.empty()) return absent_ms;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(std::abs(seconds) < kSecondsMax)) {
    return InvalidArgument("'" + std::string(name) + "' is '" + text +
                           "'; it takes Unix seconds, e.g. 1800000000.5");
  }
  return static_cast<int64_t>(std::llround(seconds * 1000));
}

Result<Json> EventsJson(const storage::History& history, const Clock& clock,
                        const http::Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const int64_t end_ms, TimeOf(request, "end", clock.WallMillis()));
  HEARTH_ASSIGN_OR_RETURN(const int64_t start_ms,
                          TimeOf(request, "start", end_ms - kDefaultSpanMs));
  if (start_ms > end_ms) return InvalidArgument("'start' is after 'end'");
  HEARTH_ASSIGN_OR_RETURN(const std::vector<storage::Event> events,
                          history.Events(start_ms, end_ms));
  Json list = Json::array();
  for (const storage::Event& event : events) {
    list.push_back({{"time", static_cast<double>(event.time_ms) / 1000},
                    {"kind", event.kind},
                    {"text", event.text}});
  }
  return Json{{"events", std::move(list)}};
}

}  // namespace

std::vector<http::Route> EventsRoutes(const storage::History* history, const Clock* clock) {
  return {{"GET", "/api/events", http::Scope::kPublic,
           [=](const http::Request& request, http::Response& response) {
             const Result<Json> json = EventsJson(*history, *clock, request);
             if (!json.ok()) return http::SendStatus(response, json.status());
             response.SetHeader("Cache-Control", "no-store");
             response.Send(200, "application/json", DumpJson(*json));
           }}};
}

}  // namespace hearth::api
