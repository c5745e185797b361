// The table of routes. What is not in it does not exist: 404; a path with another method is 405.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/http/http.h"

namespace hearth::http {

class Router {
 public:
  // A bug (CHECK) when the pattern is malformed or method and pattern are already there.
  void Add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: 404 when `allow` is empty, else 405
    std::vector<std::string> parameters;
    std::string allow;  // methods that the path has, "GET, HEAD, POST"
  };

  // A literal segment is preferred to `{}`, that to `{*}`. `{*}`, once in a pattern, matches one or more
  // segments. No empty segment matches `{}`, and nothing empty `{*}`.
  Match Find(std::string_view method, std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  // A pattern with `{}` or `{*}`, cut once.
  struct Wildcard {
    std::vector<std::string> segments;
    size_t route;
  };

  std::vector<Route> routes_;
  // Most requests name a path that is written out, and are done after one look-up here.
  std::map<std::string, std::vector<size_t>, std::less<>> literals_;
  std::vector<Wildcard> wildcards_;
};

}  // namespace hearth::http
