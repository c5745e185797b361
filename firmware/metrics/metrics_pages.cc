#include "firmware/metrics/metrics_pages.h"

#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/gzip.h"

namespace hearth::metrics {
namespace {

// A scraper's interval is seconds; whoever has not come back after this is rendered for on request.
constexpr double kKeptWarmS = 60;

}  // namespace

MetricsPages::MetricsPages(Registry* registry)
    : registry_(registry),
      renders_(registry->Get(MetricId::kMetricsRenders)),
      render_seconds_(registry->Get(MetricId::kMetricsRenderSeconds)),
      page_bytes_(registry->Get(MetricId::kMetricsPageBytes)),
      snapshot_(std::make_shared<const Snapshot>(registry->TakeSnapshot())) {}

std::shared_ptr<const std::string> MetricsPages::Render(const Snapshot& snapshot,
                                                        const Request& request) {
  const double start_s = MonotonicSeconds();
  std::string text = exposition_.Render(snapshot, request.format, request.views, request.timestamps);
  registry_->Add(renders_);
  registry_->Set(page_bytes_, static_cast<double>(text.size()));
  if (request.gzip) text = GzipCompress(text);
  registry_->Add(render_seconds_, MonotonicSeconds() - start_s);
  return std::make_shared<const std::string>(std::move(text));
}

void MetricsPages::Publish(std::shared_ptr<const Snapshot> snapshot) {
  std::lock_guard rendering(render_mutex_);
  std::map<Request, Variant> warm;
  {
    std::lock_guard lock(mutex_);
    const double now_s = MonotonicSeconds();
    for (const auto& [request, variant] : variants_) {
      if (now_s - variant.asked_s < kKeptWarmS) warm[request].asked_s = variant.asked_s;
    }
  }
  for (auto& [request, variant] : warm) variant.body = Render(*snapshot, request);
  std::lock_guard lock(mutex_);
  for (auto& [request, variant] : warm) variant.asked_s = variants_[request].asked_s;
  snapshot_ = std::move(snapshot);
  variants_ = std::move(warm);
}

std::shared_ptr<const std::string> MetricsPages::Page(const Request& request) {
  const auto find = [&]() -> std::shared_ptr<const std::string> {
    std::lock_guard lock(mutex_);
    const auto it = variants_.find(request);
    if (it == variants_.end()) return nullptr;
    it->second.asked_s = MonotonicSeconds();
    return it->second.body;
  };
  if (auto body = find()) return body;
  std::lock_guard rendering(render_mutex_);
  if (auto body = find()) return body;  // rendered while this thread waited
  std::shared_ptr<const Snapshot> snapshot;
  {
    std::lock_guard lock(mutex_);
    snapshot = snapshot_;
  }
  auto body = Render(*snapshot, request);
  std::lock_guard lock(mutex_);
  variants_[request] = {body, MonotonicSeconds()};
  return body;
}

}  // namespace hearth::metrics
