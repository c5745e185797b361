// Folds raw frames into one frame per step: (k * step, (k + 1) * step] becomes the frame of its
// end.
#pragma once

#include <cstdint>
#include <optional>

#include "storage/frame.h"
#include "storage/series_index.h"

namespace hearth::storage {

class Rollup {
 public:
  explicit Rollup(int64_t step_ms) : step_ms_(step_ms) {}

  // Takes raw frames in ascending time. Returns the frame of the step before when `raw` begins a
  // new one. Steps without a sample have no frame.
  std::optional<Frame> Add(const Frame& raw, const SeriesIndex& series);

 private:
  void Fold(size_t slot, SeriesKind kind, double value);

  const int64_t step_ms_;
  Frame open_;  // time_ms is the end of its step
};

}  // namespace hearth::storage
