// The rows of the name views that are not derived from the metrics table by a rule. For name_views.cc.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "firmware/metrics/name_views.h"

namespace hearth::metrics {

struct ViewRow {
  View view;
  MetricId id;
  std::string_view name;
  const LabelChange* labels;
  double scale;
  std::optional<Kind> shown_as;
  std::string_view help;
};

std::span<const ViewRow> EngineViewRows();   // engine_views.cc
std::span<const ViewRow> DeviceViewRows();   // device_views.cc
std::span<const ViewRow> ClusterViewRows();  // cluster_views.cc

extern const LabelChange kRayEngineLabels;  // vllm:* as Ray shows them: WorkerId, ReplicaId, ...
extern const LabelChange kRayServeLabels;   // ray_serve_*: WorkerId, ReplicaId
extern const LabelChange kRayLlmLabels;     // ray_serve_llm_*: engine_worker_id, ReplicaId

}  // namespace hearth::metrics
