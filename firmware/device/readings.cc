#include "firmware/device/readings.h"

#include "base/log.h"

namespace hearth::device {

void Readings::Set(metrics::MetricId id, const std::vector<std::string>& labels,
                   const std::optional<double>& value) {
  if (!value) return;
  auto entry = entries_.find({id, labels});
  if (entry == entries_.end()) {
    if (entries_.size() >= kSeriesMax) {
      if (!said_full_) {
        LOG(kWarning) << "devices have made " << kSeriesMax << " series since the start; those of "
                         "further devices are left out until a restart";
      }
      said_full_ = true;
      return;
    }
    entry = entries_.emplace(std::pair(id, labels), Entry{registry_->Get(id, labels), 0}).first;
  }
  Entry& found = entry->second;
  registry_->Set(found.metric, *value);
  registry_->SetExposed(found.metric, true);
  found.last_set = round_;
}

void Readings::EndRound() {
  for (const auto& [key, entry] : entries_) {
    if (entry.last_set + 1 == round_) registry_->SetExposed(entry.metric, false);
  }
  ++round_;
}

}  // namespace hearth::device
