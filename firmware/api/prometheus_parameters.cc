#include "firmware/api/prometheus_parameters.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "storage/promql/lexer.h"
#include "storage/promql/parser.h"

namespace hearth::api {

namespace {

using http::Request;

// Beyond this, milliseconds of windows and offsets could overflow.
constexpr double kSecondsMax = 9.2e12;
constexpr double kNanosecondsMax = 9.2233720368547e18;  // of a Go duration

// A number as Go's ParseFloat reads it.
std::optional<double> ParseFloat(const std::string& text) {
  double value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Minutes east of UTC: "Z", "+02:00".
std::optional<int> ParseZone(const std::string& zone) {
  if (zone == "Z") return 0;
  int hours = 0, minutes = 0, used = 0;
  char sign = 0;
  if (std::sscanf(zone.c_str(), "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 ||
      static_cast<size_t>(used) != zone.size() || (sign != '+' && sign != '-')) {
    return std::nullopt;
  }
  return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
}

// 2015-07-01T20:10:51.781Z, or with an offset such as +02:00.
std::optional<int64_t> ParseRfc3339Ms(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, used = 0;
  double second = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      !(second >= 0 && second < 60)) {
    return std::nullopt;
  }
  const std::optional<int> zone_minutes = ParseZone(text.substr(static_cast<size_t>(used)));
  if (!zone_minutes) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t minutes = days * 1440 + hour * 60 + minute - *zone_minutes;
  return minutes * 60'000 + std::llround(second * 1000);
}

Result<int64_t> ParseTimeText(const std::string& text) {
  if (const std::optional<double> seconds = ParseFloat(text)) {
    if (std::abs(*seconds) < kSecondsMax) {
      // As Go cuts it: a millisecond whose nanoseconds come out a hair short is the one before.
      double whole = 0;
      const double part = std::round(std::modf(*seconds, &whole) * 1000) / 1000;
      return static_cast<int64_t>(whole) * 1000 + static_cast<int64_t>(part * 1e9) / 1'000'000;
    }
  } else if (const std::optional<int64_t> milliseconds = ParseRfc3339Ms(text)) {
    return *milliseconds;
  }
  return InvalidArgument("cannot parse " + promql::Quote(text) + " to a valid timestamp");
}

}  // namespace

Status BadParameter(std::string_view name, const std::string& what) {
  return InvalidArgument("invalid parameter " + promql::Quote(name) + ": " + what);
}

Result<int64_t> TimeParameter(const Request& request, std::string_view name, int64_t absent_ms) {
  const std::string text = request.Parameter(name).value_or("");
  if (text.empty()) return absent_ms;
  Result<int64_t> time_ms = ParseTimeText(text);
  if (!time_ms.ok()) {
    return BadParameter(name, "invalid time value for '" + std::string(name) +
                                  "': " + time_ms.status().message());
  }
  return time_ms;
}

Result<int64_t> RequiredTime(const Request& request, std::string_view name) {
  Result<int64_t> time_ms = ParseTimeText(request.Parameter(name).value_or(""));
  if (!time_ms.ok()) return BadParameter(name, time_ms.status().message());
  return time_ms;
}

Result<int64_t> ParseDurationText(const std::string& text) {
  if (const std::optional<double> seconds = ParseFloat(text)) {
    // Cut as Go's durations are: to nanoseconds, then to milliseconds.
    const double nanoseconds = *seconds * 1e9;
    if (std::isnan(nanoseconds)) return int64_t{0};
    if (std::abs(nanoseconds) < kNanosecondsMax) {
      return static_cast<int64_t>(nanoseconds) / 1'000'000;
    }
    return InvalidArgument("cannot parse " + promql::Quote(text) +
                           " to a valid duration. It overflows int64");
  }
  return promql::ParseDurationMs(text);
}

Result<int64_t> DurationParameter(const Request& request, std::string_view name) {
  Result<int64_t> duration_ms = ParseDurationText(request.Parameter(name).value_or(""));
  if (!duration_ms.ok()) return BadParameter(name, duration_ms.status().message());
  return duration_ms;
}

Result<int64_t> ParseGoInteger(const std::string& text) {
  int64_t value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return InvalidArgument("strconv.Atoi: parsing " + promql::Quote(text) + ": " +
                         (error == std::errc::result_out_of_range ? "value out of range"
                                                                  : "invalid syntax"));
}

Result<size_t> LimitParameter(const Request& request) {
  const std::string text = request.Parameter("limit").value_or("");
  if (text.empty()) return size_t{0};
  const Result<int64_t> limit = ParseGoInteger(text);
  if (!limit.ok()) return BadParameter("limit", limit.status().message());
  if (*limit < 0) return BadParameter("limit", "limit must be non-negative");
  return static_cast<size_t>(*limit);
}

Result<std::vector<std::vector<promql::Matcher>>> MatcherSets(const Request& request) {
  std::vector<std::vector<promql::Matcher>> sets;
  for (const std::string& text : request.Parameters("match[]")) {
    HEARTH_ASSIGN_OR_RETURN(std::vector<promql::Matcher> matchers, promql::ParseMatchers(text));
    const bool all_empty =
        std::all_of(matchers.begin(), matchers.end(),
                    [](const promql::Matcher& matcher) { return matcher.Matches(""); });
    if (all_empty) return InvalidArgument("match[] must contain at least one non-empty matcher");
    sets.push_back(std::move(matchers));
  }
  return sets;
}

}  // namespace hearth::api
