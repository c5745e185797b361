#include "firmware/history_metrics.h"

namespace hearth {

using metrics::MetricId;

HistoryMetrics::HistoryMetrics(metrics::Registry* registry, const storage::History* history)
    : registry_(registry), history_(history) {}

void HistoryMetrics::Update() {
  const storage::HistoryStats stats = history_->stats();
  const auto set = [&](MetricId id, int64_t value, const std::vector<std::string>& labels = {}) {
    registry_->Set(registry_->Get(id, labels), static_cast<double>(value));
  };
  const auto set_time = [&](MetricId id, bool is_known, int64_t time_ms,
                            const std::vector<std::string>& labels = {}) {
    metrics::Metric* const metric = registry_->Get(id, labels);
    registry_->SetExposed(metric, is_known);
    registry_->Set(metric, static_cast<double>(time_ms) / 1000);
  };
  set(MetricId::kHistoryBytes, stats.bytes_on_disk);
  set(MetricId::kHistoryLimitBytes, stats.bytes_limit);
  set(MetricId::kHistorySamplesAppended, stats.samples_appended);
  set(MetricId::kHistoryWriteErrors, stats.write_errors);
  set_time(MetricId::kHistoryLastCommitTime, stats.last_commit_ms > 0, stats.last_commit_ms);
  set(MetricId::kHistorySeries, stats.series);
  set(MetricId::kHistorySeriesRefused, stats.series_refused);
  set(MetricId::kHistoryFramesLost, stats.frames_dropped, {"disk_full"});
  set(MetricId::kHistoryFramesLost, stats.frames_lost, {"memory_full"});
  set(MetricId::kHistoryFramesLost, stats.frames_broken, {"broken"});
  set(MetricId::kHistoryRecovered, stats.recovered);
  for (const storage::TierStats& tier : stats.tiers) {
    set(MetricId::kHistoryTierBytes, tier.stored.bytes, {tier.name});
    set_time(MetricId::kHistoryTierOldestTime, tier.stored.rows > 0, tier.stored.oldest_ms,
             {tier.name});
  }
}

}  // namespace hearth
