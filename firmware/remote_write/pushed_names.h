// What a recorded series is called where it is pushed to: as a scrape of /metrics would have named
// it, with the labels that tell this box from others.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "firmware/metrics/name_views.h"
#include "storage/promql/series_source.h"

namespace hearth::remote_write {

struct PushedName {
  promql::Labels labels;
  const metrics::NameView* view = nullptr;  // scales the value; null: as recorded

  double Value(double recorded) const;
};

class PushedNames {
 public:
  // `external_labels` are added where a series has no such label, as Prometheus does.
  PushedNames(metrics::ViewSet views, promql::Labels external_labels);

  // One for each view that shows the series; itself where no view knows it (what rules made).
  std::vector<PushedName> Of(const promql::Labels& recorded) const;

 private:
  struct Row {
    const metrics::NameView* view;
    std::string shown;  // the series' name
  };

  promql::Labels WithExternal(promql::Labels labels) const;

  const promql::Labels external_labels_;
  std::unordered_map<std::string, std::vector<Row>> rows_;  // by recorded name; may be empty
};

}  // namespace hearth::remote_write
