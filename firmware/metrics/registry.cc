#include "firmware/metrics/registry.h"

#include <algorithm>

#include "base/check.h"
#include "firmware/metrics/exposition.h"

namespace hearth::metrics {

namespace {

size_t SeriesCount(const MetricDef& def, size_t num_bounds) {
  return def.kind == Kind::kHistogram ? num_bounds + 3 : 1;  // buckets, +Inf, count, sum
}

}  // namespace

void Registry::AddSeries(const Metric& metric, const std::vector<std::string>& label_values,
                         std::string_view suffix, std::string_view le, bool is_counter) {
  const MetricDef& def = metric.def();
  std::vector<promql::Labels::Pair> pairs;
  pairs.emplace_back("__name__", std::string(def.name) + std::string(suffix));
  for (size_t i = 0; i < def.labels.size(); ++i) {
    pairs.emplace_back(std::string(def.labels[i]), label_values[i]);
  }
  if (!le.empty()) pairs.emplace_back("le", std::string(le));
  ExposedSeries& series = series_.emplace_back();
  series.index = static_cast<uint32_t>(series_.size() - 1);
  series.id = def.id;
  series.labels = promql::Labels(std::move(pairs));
  series.line = SeriesLine(series.labels);
  series.is_counter = is_counter;
  values_.push_back(0);
}

Metric* Registry::Get(MetricId id, std::vector<std::string> label_values,
                      std::span<const double> bounds) {
  const MetricDef& def = DefOf(id);
  CHECK(label_values.size() == def.labels.size()) << def.name;
  if (bounds.empty()) bounds = def.buckets;
  std::lock_guard lock(mutex_);
  auto& slot = metrics_[Key{id, label_values}];
  if (slot != nullptr) return slot.get();

  slot = std::make_unique<Metric>();
  slot->def_ = &def;
  slot->first_series_ = static_cast<uint32_t>(series_.size());
  if (def.kind == Kind::kHistogram) {
    CHECK(!bounds.empty()) << def.name << " needs bounds";
    slot->bounds_.assign(bounds.begin(), bounds.end());
    for (const double bound : bounds) {
      AddSeries(*slot, label_values, "_bucket", FormatValue(bound), true);
    }
    AddSeries(*slot, label_values, "_bucket", "+Inf", true);
    AddSeries(*slot, label_values, "_count", "", true);
    AddSeries(*slot, label_values, "_sum", "", true);
  } else {
    AddSeries(*slot, label_values, "", "", def.kind == Kind::kCounter);
  }
  by_id_[static_cast<size_t>(id)].push_back(slot.get());
  return slot.get();
}

void Registry::Add(Metric* counter, double delta) {
  CHECK(counter->def().kind == Kind::kCounter && delta >= 0) << counter->def().name;
  std::lock_guard lock(mutex_);
  values_[counter->first_series_] += delta;
}

void Registry::Set(Metric* metric, double value) {
  CHECK(metric->def().kind != Kind::kHistogram) << metric->def().name;
  std::lock_guard lock(mutex_);
  values_[metric->first_series_] = value;
}

void Registry::Observe(Metric* histogram, double value) {
  CHECK(histogram->def().kind == Kind::kHistogram) << histogram->def().name;
  std::lock_guard lock(mutex_);
  const auto& bounds = histogram->bounds_;
  double* const parts = values_.data() + histogram->first_series_;
  const size_t first =
      static_cast<size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
  for (size_t i = first; i <= bounds.size(); ++i) parts[i] += 1;  // cumulative, +Inf included
  parts[bounds.size() + 1] += 1;
  parts[bounds.size() + 2] += value;
}

void Registry::SetExposed(Metric* metric, bool exposed) {
  std::lock_guard lock(mutex_);
  metric->exposed_ = exposed;
}

Snapshot Registry::TakeSnapshot() const {
  Snapshot snapshot;
  std::lock_guard lock(mutex_);
  snapshot.series.reserve(values_.size());
  snapshot.values.reserve(values_.size());
  for (const auto& family : by_id_) {
    for (const Metric* metric : family) {
      if (!metric->exposed_) continue;
      const size_t count = SeriesCount(metric->def(), metric->bounds_.size());
      for (size_t i = metric->first_series_; i < metric->first_series_ + count; ++i) {
        snapshot.series.push_back(&series_[i]);
        snapshot.values.push_back(values_[i]);
      }
    }
  }
  return snapshot;
}

}  // namespace hearth::metrics
