#include "firmware/metrics/metric_defs.h"

#include <array>
#include <vector>

#include "base/check.h"

namespace hearth::metrics {
namespace {

constexpr std::array<double, 18> kOneTwoFive = {1,   2,   5,   10,  20,  50,  100, 200, 500,
                                                1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5};

std::vector<MetricDef> Assemble() {
  std::vector<MetricDef> defs;
  for (const auto rows : {EngineDefs(), ServiceDefs(), ApplianceDefs(), DeviceDefs()}) {
    defs.insert(defs.end(), rows.begin(), rows.end());
  }
  CHECK(defs.size() == kMetricCount) << defs.size() << " rows for " << kMetricCount << " ids";
  for (size_t i = 0; i < defs.size(); ++i) {
    CHECK(static_cast<size_t>(defs[i].id) == i) << defs[i].name << " is out of order";
  }
  return defs;
}

}  // namespace

std::span<const MetricDef> MetricDefs() {
  static const std::vector<MetricDef> defs = Assemble();
  return defs;
}

const MetricDef& DefOf(MetricId id) {
  const size_t index = static_cast<size_t>(id);
  CHECK(index < kMetricCount);
  return MetricDefs()[index];
}

std::string_view TypeName(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kHistogram:
      return "histogram";
    case Kind::kSummary:
      return "summary";
  }
  return "untyped";
}

std::span<const std::string_view> SeriesSuffixes(Kind kind) {
  static constexpr std::string_view kPlain[] = {""};
  static constexpr std::string_view kHistogram[] = {"_bucket", "_count", "_sum"};
  if (kind == Kind::kHistogram) return kHistogram;
  if (kind == Kind::kSummary) return std::span(kHistogram).last(2);
  return kPlain;
}

std::span<const double> TokenBuckets(int max_model_len) {
  size_t count = 1;
  while (count < kOneTwoFive.size() && kOneTwoFive[count] <= max_model_len) ++count;
  return std::span(kOneTwoFive).first(count);
}

}  // namespace hearth::metrics
