// Name views: every name under which a recorded value is shown, declared in one table.
//
// A value is recorded once, under its canonical name. /metrics and the query engine show it under
// that name and under those that other projects' dashboards ask for: Ray's spelling of vLLM's
// names, names that vLLM has removed, dcgm-exporter's, node_exporter's, the production-stack
// router's. A view may rename labels, add some and scale the value; nothing is stored twice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "firmware/metrics/metric_defs.h"
#include "storage/promql/series_source.h"

namespace hearth::metrics {

// Who reads these names. `metrics.views` and `?view=` choose among them.
enum class View { kVllm, kRay, kVllmRemoved, kRouter, kHearth, kDcgm, kNode };
inline constexpr size_t kViewCount = 7;

struct ViewDef {
  View view;
  std::string_view name;  // as in ?view=
  bool by_default;        // on /metrics when nobody chooses
  std::string_view help;
};
std::span<const ViewDef> ViewDefs();  // in the order of View

// A set of views.
class ViewSet {
 public:
  static ViewSet Default();
  static ViewSet All();

  void Add(View view) { bits_ |= Bit(view); }
  bool Has(View view) const { return (bits_ & Bit(view)) != 0; }
  auto operator<=>(const ViewSet&) const = default;

 private:
  static uint32_t Bit(View view) { return 1u << static_cast<uint32_t>(view); }
  uint32_t bits_ = 0;
};

// kInvalidArgument naming the known views.
Result<ViewSet> ParseViews(const std::vector<std::string>& names);

// How a view changes a series' labels.
struct LabelChange {
  // Turns the recorded labels, __name__ included, into those of the view.
  void (*apply)(promql::Labels& labels);
  // Every label name that `apply` sets or removes: a matcher on one of them cannot be handed to the
  // recorded series.
  std::span<const std::string_view> touched;
};

// One family under one name. The canonical names are rows like the others.
struct NameView {
  View view;
  MetricId id;
  std::string name;              // of the family; a counter's as exposed
  const LabelChange* labels;     // null: as recorded
  double scale = 1;              // the value in the view's unit
  std::optional<Kind> shown_as;  // kSummary: a histogram's count and sum alone
  std::string_view help;         // empty: the canonical family's

  Kind kind() const { return shown_as.value_or(DefOf(id).kind); }
  std::string_view help_text() const;
  // The recorded value in the view's unit, without the last bits' noise: 0.07 becomes 7, not
  // 7.000000000000001.
  double Scaled(double value) const;
  // The name of one series of the family, e.g. name + "_bucket"; nullopt when it is not in the
  // view.
  std::optional<std::string> SeriesName(std::string_view suffix) const;
};

// Grouped by family name as an exposition wants them: canonical rows in the order of MetricId, each
// followed by the other names of the same family.
std::span<const NameView> NameViews();

// The labels of `recorded` in the view. `name`: what __name__ becomes.
promql::Labels ViewLabels(const NameView& view, const promql::Labels& recorded,
                          const std::string& name);

// Ray's identities of a replica. WorkerId is new with every start of this process: dashboards use
// delta(), which is right over a restart only then.
std::string WorkerId(std::string_view model_name, std::string_view engine);
std::string DeploymentName(std::string_view model_name);  // "LLMServer:qwen--0_5b"
inline constexpr std::string_view kApplication = "default";

// What views say of the box itself but no series carries, e.g. "gpu0.pci_bus_id". Any thread.
void SetViewFact(const std::string& key, const std::string& value);
std::string ViewFact(const std::string& key);  // empty when unknown

}  // namespace hearth::metrics
