#include "firmware/http/router.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace hearth::http {

namespace {

constexpr std::string_view kSegment = "{}";
constexpr std::string_view kRest = "{*}";

// "/a/b" -> {"a", "b"}; "/" -> {""}.
std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(1);
  for (;;) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// How closely the pattern fits, a letter per segment ("a" literal, "b" {}, "c" {*} with a tail, "d"
// {*} at the end); less is closer.
std::optional<std::string> Fit(const std::vector<std::string>& expected,
                               const std::vector<std::string_view>& actual,
                               std::vector<std::string>& parameters) {
  std::string fit;
  size_t at = 0;  // in actual
  for (size_t i = 0; i < expected.size(); ++i, ++at) {
    if (at >= actual.size()) return std::nullopt;
    if (expected[i] == kRest) {
      const size_t tail = expected.size() - i - 1;
      if (actual.size() < at + 1 + tail) return std::nullopt;
      const std::string_view last = actual[actual.size() - tail - 1];
      const char* const begin = actual[at].data();
      const std::string_view rest(begin, static_cast<size_t>(last.data() + last.size() - begin));
      if (rest.empty()) return std::nullopt;
      parameters.emplace_back(rest);
      fit += tail > 0 ? 'c' : 'd';
      at = actual.size() - tail - 1;
    } else if (expected[i] == kSegment) {
      if (actual[at].empty()) return std::nullopt;
      parameters.emplace_back(actual[at]);
      fit += 'b';
    } else if (expected[i] == actual[at]) {
      fit += 'a';
    } else {
      return std::nullopt;
    }
  }
  if (at != actual.size()) return std::nullopt;
  return fit;
}

bool Answers(const Route& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

void AllowMethods(std::string& allow, const Route& route) {
  if (!allow.empty()) allow += ", ";
  allow += route.method;
  if (route.method == "GET") allow += ", HEAD";
}

}  // namespace

void Router::Add(Route route) {
  CHECK(route.pattern.starts_with('/')) << route.pattern;
  CHECK(route.handler != nullptr) << route.pattern;
  const size_t rest = route.pattern.find(kRest);
  CHECK(rest == std::string::npos || route.pattern.find(kRest, rest + 1) == std::string::npos)
      << route.pattern;
  for (const Route& other : routes_) {
    CHECK(other.method != route.method || other.pattern != route.pattern) << route.pattern;
  }
  const auto segments = Segments(route.pattern);
  const bool is_literal = std::none_of(segments.begin(), segments.end(), [](auto segment) {
    return segment == kSegment || segment == kRest;
  });
  if (is_literal) {
    literals_[route.pattern].push_back(routes_.size());
  } else {
    wildcards_.push_back({{segments.begin(), segments.end()}, routes_.size()});
  }
  routes_.push_back(std::move(route));
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  if (const auto literal = literals_.find(path); literal != literals_.end()) {
    for (const size_t index : literal->second) {
      AllowMethods(match.allow, routes_[index]);
      if (Answers(routes_[index], method)) match.route = &routes_[index];
    }
    if (match.route != nullptr) return match;
  }
  const auto segments = Segments(path);
  std::string best_fit;
  for (const Wildcard& wildcard : wildcards_) {
    std::vector<std::string> parameters;
    const auto fit = Fit(wildcard.segments, segments, parameters);
    if (!fit) continue;
    const Route& route = routes_[wildcard.route];
    AllowMethods(match.allow, route);
    if (!Answers(route, method) || (match.route != nullptr && best_fit <= *fit)) continue;
    match.route = &route;
    match.parameters = std::move(parameters);
    best_fit = *fit;
  }
  return match;
}

}  // namespace hearth::http
