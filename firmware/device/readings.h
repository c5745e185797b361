// Readings: sets of metrics that come and go with what they measure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firmware/metrics/registry.h"

namespace hearth::device {

// Series a box's devices may ever make: a box of the largest size has about 6,000. Names that come
// and go (USB disks, tunnels) would otherwise fill the registry, which forgets nothing.
inline constexpr size_t kSeriesMax = 8192;

// One round of readings after another; what a round does not set is withdrawn at its end. One
// thread.
class Readings {
 public:
  explicit Readings(metrics::Registry* registry) : registry_(registry) {}

  // Nothing for a reading that does not exist.
  void Set(metrics::MetricId id, const std::vector<std::string>& labels,
           const std::optional<double>& value);

  void EndRound();

 private:
  struct Entry {
    metrics::Metric* metric;
    uint64_t last_set;  // round
  };

  metrics::Registry* const registry_;
  std::map<std::pair<metrics::MetricId, std::vector<std::string>>, Entry> entries_;
  uint64_t round_ = 1;
  bool said_full_ = false;
};

}  // namespace hearth::device
