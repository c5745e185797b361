// What the history says of itself, as metrics.
#pragma once

#include "firmware/metrics/registry.h"
#include "storage/history.h"

namespace hearth {

class HistoryMetrics {
 public:
  // Both outlive it.
  HistoryMetrics(metrics::Registry* registry, const storage::History* history);

  void Update();

 private:
  metrics::Registry* const registry_;
  const storage::History* const history_;
};

}  // namespace hearth
