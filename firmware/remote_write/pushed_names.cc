#include "firmware/remote_write/pushed_names.h"

#include <utility>

#include "storage/frame.h"

namespace hearth::remote_write {

double PushedName::Value(double recorded) const {
  // The mark of an ended series is a pattern of bits that arithmetic would lose.
  if (view == nullptr || view->scale == 1 || storage::IsAbsent(recorded)) return recorded;
  return view->Scaled(recorded);
}

PushedNames::PushedNames(metrics::ViewSet views, promql::Labels external_labels)
    : external_labels_(std::move(external_labels)) {
  for (const metrics::NameView& view : metrics::NameViews()) {
    const metrics::MetricDef& def = metrics::DefOf(view.id);
    for (const std::string_view suffix : metrics::SeriesSuffixes(def.kind)) {
      std::vector<Row>& rows = rows_[std::string(def.name) + std::string(suffix)];
      const auto shown = view.SeriesName(suffix);
      if (shown && views.Has(view.view)) rows.push_back({&view, *shown});
    }
  }
}

std::vector<PushedName> PushedNames::Of(const promql::Labels& recorded) const {
  const auto rows = rows_.find(recorded.Get("__name__"));
  if (rows == rows_.end()) return {{WithExternal(recorded), nullptr}};
  std::vector<PushedName> names;
  for (const Row& row : rows->second) {
    names.push_back(
        {WithExternal(metrics::ViewLabels(*row.view, recorded, row.shown)), row.view});
  }
  return names;
}

promql::Labels PushedNames::WithExternal(promql::Labels labels) const {
  for (const auto& [name, value] : external_labels_.pairs()) {
    if (labels.Get(name).empty()) labels.Set(name, value);
  }
  return labels;
}

}  // namespace hearth::remote_write
