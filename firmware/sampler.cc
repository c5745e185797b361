#include "firmware/sampler.h"

#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace hearth {

Sampler::Sampler(metrics::Registry* registry, storage::History* history,
                 metrics::MetricsPages* pages, std::function<void()> observe, MadeSeriesFunction made_series)
    : registry_(registry),
      history_(history),
      pages_(pages),
      observe_(std::move(observe)),
      made_series_(std::move(made_series)),
      process_(registry),
      history_metrics_(registry, history),
      thread_([this] { Run(); }) {}

Sampler::~Sampler() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Sampler::Run() {
  // Deadlines on the monotonic clock: a jump of the wall clock moves stamps, not the rhythm.
  auto deadline = std::chrono::steady_clock::now();
  bool stopping = false;
  while (!stopping) {
    deadline += std::chrono::seconds(1);
    {
      std::unique_lock lock(mutex_);
      stopping = wake_.wait_until(lock, deadline, [this] { return stopping_; });
    }
    Sample();
  }
}

void Sampler::Sample() {
  observe_();
  process_.Update();
  history_metrics_.Update();

  const auto taken = std::make_shared<const metrics::Snapshot>(registry_->TakeSnapshot());
  const metrics::Snapshot& snapshot = *taken;
  std::vector<std::pair<storage::SeriesId, double>> values;
  values.reserve(snapshot.series.size());
  for (size_t i = 0; i < snapshot.series.size(); ++i) {
    const metrics::RecordedSeries& series = *snapshot.series[i];
    if (series.index >= ids_.size()) {
      ids_.resize(series.index + 1);
      known_.resize(series.index + 1);
    }
    if (!known_[series.index]) {
      ids_[series.index] =
          history_->Register(series.labels, series.is_counter ? storage::SeriesKind::kCounter
                                                              : storage::SeriesKind::kGauge,
                             metrics::DefOf(series.id).source == metrics::Source::kDevice
                                 ? storage::CounterOrigin::kTheMachine
                                 : storage::CounterOrigin::kThisProcess);
      known_[series.index] = true;
    }
    values.emplace_back(ids_[series.index], snapshot.values[i]);
  }
  for (const auto& [labels, value] : made_series_()) {
    const auto [made, is_new] = made_ids_.try_emplace(labels);
    if (is_new) made->second = history_->Register(labels, storage::SeriesKind::kGauge);
    values.emplace_back(made->second, value);
  }
  if (const Status appended = history_->Append(snapshot.time_ms, values); !appended.ok()) {
    LOG(kWarning) << "the history did not take this second's sample: " << appended.message();
  }
  pages_->Publish(taken);
}

}  // namespace hearth
