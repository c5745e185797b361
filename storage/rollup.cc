#include "storage/rollup.h"

#include <algorithm>

namespace hearth::storage {

std::optional<Frame> Rollup::Add(const Frame& raw, const SeriesIndex& series) {
  const int64_t end_ms = (raw.time_ms + step_ms_ - 1) / step_ms_ * step_ms_;
  std::optional<Frame> closed;
  if (end_ms != open_.time_ms) {
    if (!open_.values.empty()) closed = std::move(open_);
    open_ = Frame{end_ms, {}};
  }
  for (SeriesId id = 0; id < raw.values.size(); ++id) {
    if (!IsAbsent(raw.values[id])) Fold(series[id].rollup_slot, series[id].kind, raw.values[id]);
  }
  return closed;
}

void Rollup::Fold(size_t slot, SeriesKind kind, double value) {
  const size_t width = kind == SeriesKind::kCounter ? 1 : kGaugeColumns;
  if (open_.values.size() < slot + width) open_.values.resize(slot + width, kAbsent);
  double* const cell = &open_.values[slot];
  if (kind == SeriesKind::kCounter) {
    *cell = value;
    return;
  }
  const auto column = [&](GaugeColumn c) -> double& { return cell[static_cast<size_t>(c)]; };
  const bool first = IsAbsent(column(GaugeColumn::kCount));
  column(GaugeColumn::kMin) = first ? value : std::min(column(GaugeColumn::kMin), value);
  column(GaugeColumn::kMax) = first ? value : std::max(column(GaugeColumn::kMax), value);
  column(GaugeColumn::kSum) = first ? value : column(GaugeColumn::kSum) + value;
  column(GaugeColumn::kCount) = first ? 1 : column(GaugeColumn::kCount) + 1;
  column(GaugeColumn::kLast) = value;
}

}  // namespace hearth::storage
