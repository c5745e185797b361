#include "firmware/api/engine_log_api.h"

#include <charconv>
#include <string>
#include <string_view>

#include "base/json.h"
#include "firmware/models/engine_log.h"

namespace hearth::api {
namespace {

using models::EngineLog;

constexpr size_t kLinesDefault = 200;
constexpr std::string_view kSuffix = "/log";

Result<size_t> LinesOf(const http::Request& request) {
  const std::string text = request.Parameter("lines").value_or("");
  if (text.empty()) return kLinesDefault;
  size_t lines = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lines);
  if (error != std::errc() || end != text.data() + text.size() || lines < 1 ||
      lines > EngineLog::kLinesMax) {
    return InvalidArgument("'lines' is '" + text + "'; it must be a number from 1 to " +
                           std::to_string(EngineLog::kLinesMax));
  }
  return lines;
}

// A model's name may have slashes: the pattern takes them, and the suffix is found here.
void HandleLog(const http::Request& request, http::Response& response) {
  std::string name = request.path_parameters.at(0);
  if (!name.ends_with(kSuffix)) {
    return http::SendError(response, 404, "there is no '" + request.path + "'");
  }
  name.resize(name.size() - kSuffix.size());
  const auto lines = LinesOf(request);
  if (!lines.ok()) return http::SendStatus(response, lines.status(), "lines");
  const EngineLog* const log = EngineLog::Find(name);
  if (log == nullptr) {
    return http::SendError(response, 404, "the model '" + name + "' never had an engine");
  }
  Json list = Json::array();
  for (const models::EngineLogLine& line : log->Tail(*lines)) {
    list.push_back(Json{{"time_ms", line.time_ms}, {"replica", line.replica}, {"text", line.text}});
  }
  response.SetHeader("Cache-Control", "no-store");
  response.Send(200, "application/json", DumpJson(Json{{"lines", std::move(list)}}));
}

}  // namespace

std::vector<http::Route> EngineLogRoutes() {
  return {{"GET", "/api/models/{*}", http::Scope::kAdmin, HandleLog}};
}

}  // namespace hearth::api
