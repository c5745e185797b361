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

// How closely the pattern fits, a letter per segment ("a" literal, "b" {}, "c" {*}); less is
// closer.
std::optional<std::string> Fit(std::string_view pattern, std::string_view path,
                               std::vector<std::string>& parameters) {
  const auto expected = Segments(pattern);
  const auto actual = Segments(path);
  std::string fit;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i >= actual.size()) return std::nullopt;
    if (expected[i] == kRest) {
      const std::string_view rest(actual[i].data(),
                                  static_cast<size_t>(path.end() - actual[i].data()));
      if (rest.empty()) return std::nullopt;
      parameters.emplace_back(rest);
      return fit + 'c';
    }
    if (expected[i] == kSegment) {
      if (actual[i].empty()) return std::nullopt;
      parameters.emplace_back(actual[i]);
      fit += 'b';
    } else if (expected[i] == actual[i]) {
      fit += 'a';
    } else {
      return std::nullopt;
    }
  }
  if (actual.size() != expected.size()) return std::nullopt;
  return fit;
}

bool Answers(const Route& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

void AddMethod(std::string& allow, std::string_view method) {
  if (!allow.empty()) allow += ", ";
  allow += method;
}

}  // namespace

void Router::Add(Route route) {
  CHECK(route.pattern.starts_with('/')) << route.pattern;
  CHECK(route.handler != nullptr) << route.pattern;
  const size_t rest = route.pattern.find(kRest);
  CHECK(rest == std::string::npos || rest + kRest.size() == route.pattern.size()) << route.pattern;
  for (const Route& other : routes_) {
    CHECK(other.method != route.method || other.pattern != route.pattern) << route.pattern;
  }
  routes_.push_back(std::move(route));
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match best;
  std::string best_fit;
  for (const Route& route : routes_) {
    std::vector<std::string> parameters;
    const auto fit = Fit(route.pattern, path, parameters);
    if (!fit) continue;
    AddMethod(best.allow, route.method);
    if (route.method == "GET") AddMethod(best.allow, "HEAD");
    if (!Answers(route, method) || (best.route != nullptr && best_fit <= *fit)) continue;
    best.route = &route;
    best.parameters = std::move(parameters);
    best_fit = *fit;
  }
  return best;
}

}  // namespace hearth::http
