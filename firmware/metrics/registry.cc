#include "firmware/metrics/registry.h"

#include <algorithm>

#include "base/check.h"
#include "firmware/metrics/number_format.h"

namespace hearth::metrics {

namespace {

// OpenMetrics allows 128 characters of labels in an exemplar; `request_id` takes ten.
constexpr size_t kExemplarIdMax = 118;

size_t SeriesCount(const MetricDef& def, size_t num_bounds) {
  switch (def.kind) {
    case Kind::kHistogram:
      return num_bounds + 3;  // buckets, +Inf, count, sum
    case Kind::kSummary:
      return 2;
    default:
      return 1;
  }
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
  RecordedSeries& series = series_.emplace_back();
  series.index = static_cast<uint32_t>(series_.size() - 1);
  series.id = def.id;
  series.suffix = suffix;
  series.labels = promql::Labels(std::move(pairs));
  series.is_counter = is_counter;
  series.created_s = static_cast<double>(clock_->WallMillis()) / 1000;
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
  const auto model = std::find(def.labels.begin(), def.labels.end(), "model_name");
  if (model != def.labels.end()) {
    slot->model_name_ = label_values[static_cast<size_t>(model - def.labels.begin())];
  }
  if (def.kind == Kind::kHistogram) {
    CHECK(!bounds.empty()) << def.name << " needs bounds";
    slot->bounds_.assign(bounds.begin(), bounds.end());
    for (const double bound : bounds) {
      AddSeries(*slot, label_values, "_bucket", FormatValue(bound), true);
    }
    AddSeries(*slot, label_values, "_bucket", "+Inf", true);
  }
  if (def.kind == Kind::kHistogram || def.kind == Kind::kSummary) {
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
  CHECK(SeriesCount(metric->def(), 0) == 1) << metric->def().name;
  std::lock_guard lock(mutex_);
  values_[metric->first_series_] = value;
}

void Registry::Observe(Metric* metric, double value, std::string_view request_id) {
  const Kind kind = metric->def().kind;
  CHECK(kind == Kind::kHistogram || kind == Kind::kSummary) << metric->def().name;
  std::lock_guard lock(mutex_);
  const auto& bounds = metric->bounds_;
  uint32_t count = metric->first_series_;
  if (kind == Kind::kHistogram) {
    const auto bound = std::lower_bound(bounds.begin(), bounds.end(), value);
    const auto first = static_cast<uint32_t>(bound - bounds.begin());
    const auto buckets = static_cast<uint32_t>(bounds.size() + 1);  // +Inf included
    for (uint32_t i = first; i < buckets; ++i) values_[metric->first_series_ + i] += 1;
    if (!request_id.empty() && request_id.size() <= kExemplarIdMax) {
      exemplars_[metric->first_series_ + first] = {
          std::string(request_id), value, static_cast<double>(clock_->WallMillis()) / 1000};
    }
    count += buckets;
  }
  values_[count] += 1;
  values_[count + 1] += value;
}

void Registry::SetExposed(Metric* metric, bool exposed) {
  std::lock_guard lock(mutex_);
  metric->exposed_ = exposed;
}

void Registry::SetEngineMetricsShown(const std::string& model_name, bool shown) {
  std::lock_guard lock(mutex_);
  if (shown) {
    hidden_models_.erase(model_name);
  } else {
    hidden_models_.insert(model_name);
  }
}

bool Registry::IsShown(const Metric& metric) const {
  if (!metric.exposed_) return false;
  return metric.def().source != Source::kEngine || !hidden_models_.contains(metric.model_name_);
}

Snapshot Registry::TakeSnapshot() const {
  Snapshot snapshot;
  snapshot.time_ms = clock_->WallMillis();
  std::lock_guard lock(mutex_);
  snapshot.series.reserve(values_.size());
  snapshot.values.reserve(values_.size());
  snapshot.exemplars = exemplars_;
  for (const auto& family : by_id_) {
    for (const Metric* metric : family) {
      if (!IsShown(*metric)) continue;
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
