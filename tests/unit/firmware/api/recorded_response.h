// Calls a route as the server would, and keeps what it answers.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "firmware/http/http.h"

namespace hearth::api {

class RecordedResponse : public http::Response {
 public:
  void SetHeader(std::string name, std::string value) override {
    headers[std::move(name)] = std::move(value);
  }
  void Send(int http_status, std::string_view content_type, std::string_view text) override {
    status = http_status;
    type = content_type;
    body = text;
  }
  void BeginStream(int, std::string_view) override { ADD_FAILURE() << "no stream is expected"; }
  bool Write(std::string_view) override { return false; }
  void EndStream() override {}
  bool ClientGone() override { return false; }

  Json json() const {
    const Result<Json> parsed = ParseJson(body);
    EXPECT_TRUE(parsed.ok()) << body;
    return parsed.ok() ? *parsed : Json();
  }

  int status = 0;
  std::string type;
  std::string body;
  std::map<std::string, std::string> headers;
};

// `pattern` names the route, `query` is percent-encoded.
inline RecordedResponse Get(const std::vector<http::Route>& routes, const std::string& pattern,
                            const std::string& query = "", http::Request request = {}) {
  RecordedResponse response;
  request.method = "GET";
  request.query = query;
  for (const http::Route& route : routes) {
    if (route.method != "GET" || route.pattern != "/api/v1/" + pattern) continue;
    route.handler(request, response);
    return response;
  }
  ADD_FAILURE() << "no route " << pattern;
  return response;
}

}  // namespace hearth::api
