// HttpObserver: answered HTTP requests as vLLM's front end and Ray Serve's proxy count them.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "firmware/metrics/registry.h"

namespace hearth::metrics {

class HttpObserver {
 public:
  explicit HttpObserver(Registry* registry);

  struct Answered {
    std::string_view handler;  // the route's pattern
    std::string_view method;
    int status = 0;  // 499: the client left before an answer
    double duration_s = 0;
    double request_bytes = 0;
    double response_bytes = 0;
  };
  // Any thread.
  void OnAnswered(const Answered& answered);

 private:
  // Per handler, method and status: looked up once.
  struct Children {
    Metric *requests, *request_bytes, *response_bytes, *duration_s;
    // of application routes; else null
    Metric *serve_requests, *serve_errors, *serve_latency_ms;
  };
  const Children& ChildrenOf(const Answered& answered);

  Registry* const registry_;
  Metric* const high_res_;
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, Children, std::less<>> children_;
};

}  // namespace hearth::metrics
