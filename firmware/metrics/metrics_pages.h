// What /metrics answers: pages rendered from the newest sample, off the request's path.
//
// Once a second the sampler publishes the very snapshot it hands to the history, so that a central
// Prometheus and this box's own panels see the same numbers. A page that somebody has asked for in
// the last minute is rendered then; asking costs a lookup.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "firmware/metrics/exposition.h"

namespace hearth::metrics {

class MetricsPages {
 public:
  explicit MetricsPages(Registry* registry);

  // `snapshot` becomes what pages show. One thread.
  void Publish(std::shared_ptr<const Snapshot> snapshot);

  struct Request {
    Format format = Format::kText;
    ViewSet views = ViewSet::Default();
    Timestamps timestamps = Timestamps::kNone;
    bool gzip = false;
    auto operator<=>(const Request&) const = default;
  };
  // Any thread. Renders only what nobody has asked for in the last minute.
  std::shared_ptr<const std::string> Page(const Request& request);

 private:
  struct Variant {
    std::shared_ptr<const std::string> body;  // of the newest snapshot
    double asked_s = 0;                       // monotonic
  };

  std::shared_ptr<const std::string> Render(const Snapshot& snapshot, const Request& request);

  Registry* const registry_;
  Metric *const renders_, *const render_seconds_, *const page_bytes_;

  std::mutex render_mutex_;  // held while rendering; before mutex_
  Exposition exposition_;    // under render_mutex_

  std::mutex mutex_;  // guards what follows; held for a lookup only
  std::shared_ptr<const Snapshot> snapshot_;
  std::map<Request, Variant> variants_;
};

}  // namespace hearth::metrics
