#include "firmware/metrics/http_observer.h"

#include <algorithm>

#include "firmware/metrics/name_views.h"

namespace hearth::metrics {
namespace {

// vLLM's instrumentator leaves these out: probes and scrapers would drown what people ask for.
constexpr std::string_view kUncounted[] = {"/metrics", "/health",  "/load",
                                           "/ping",    "/version", "/server_info"};

bool IsApplicationRoute(std::string_view handler) { return handler.starts_with("/v1/"); }

}  // namespace

HttpObserver::HttpObserver(Registry* registry)
    : registry_(registry), high_res_(registry->Get(MetricId::kHttpRequestDurationHighRes)) {
  // Dashboards divide errors by requests: both exist before the first of either.
  for (const std::string_view route : kInferenceRoutes) {
    for (const int status : {200, 400, 503}) ChildrenOf({route, "POST", status, 0, 0, 0});
  }
}

const HttpObserver::Children& HttpObserver::ChildrenOf(const Answered& answered) {
  const auto key = std::tuple(answered.handler, answered.method, answered.status);
  const auto it = children_.find(key);
  if (it != children_.end()) return it->second;
  using enum MetricId;
  const std::string handler(answered.handler), method(answered.method);
  const std::string status = std::to_string(answered.status), application(kApplication);
  const std::string group = std::to_string(answered.status / 100) + "xx";
  Children children{registry_->Get(kHttpRequests, {handler, method, group}),
                    registry_->Get(kHttpRequestSize, {handler}),
                    registry_->Get(kHttpResponseSize, {handler}),
                    registry_->Get(kHttpRequestDuration, {handler, method}),
                    nullptr,
                    nullptr,
                    nullptr};
  if (IsApplicationRoute(handler)) {
    children.serve_requests =
        registry_->Get(kServeNumHttpRequests, {application, method, handler, status});
    children.serve_latency_ms =
        registry_->Get(kServeHttpRequestLatency, {application, method, handler, status});
    if (answered.status >= 400) {
      children.serve_errors =
          registry_->Get(kServeNumHttpErrorRequests, {application, status, method, handler});
    }
  }
  return children_.emplace(std::tuple(handler, method, answered.status), children).first->second;
}

void HttpObserver::OnAnswered(const Answered& answered) {
  if (std::find(std::begin(kUncounted), std::end(kUncounted), answered.handler) !=
      std::end(kUncounted)) {
    return;
  }
  const Children* children = nullptr;
  {
    std::lock_guard lock(mutex_);
    children = &ChildrenOf(answered);  // a node of a map: it stays
  }
  registry_->Add(children->requests);
  registry_->Observe(children->request_bytes, answered.request_bytes);
  registry_->Observe(children->response_bytes, answered.response_bytes);
  registry_->Observe(children->duration_s, answered.duration_s);
  registry_->Observe(high_res_, answered.duration_s);
  if (children->serve_requests == nullptr) return;
  registry_->Add(children->serve_requests);
  registry_->Observe(children->serve_latency_ms, answered.duration_s * 1000);
  if (children->serve_errors != nullptr) registry_->Add(children->serve_errors);
}

}  // namespace hearth::metrics
