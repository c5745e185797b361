#include "firmware/metrics/exposition.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "firmware/metrics/registry.h"

namespace hearth::metrics {
namespace {

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string_view TypeName(Kind kind) {
  switch (kind) {
    case Kind::kCounter: return "counter";
    case Kind::kGauge: return "gauge";
    case Kind::kHistogram: return "histogram";
  }
  return "untyped";
}

std::string FormatValue(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == 0) return "0.0";
  const double magnitude = std::fabs(value);
  const bool fixed = magnitude >= 1e-4 && magnitude < 1e6;
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string result(text, end.ptr);
  if (fixed && result.find('.') == std::string::npos) result += ".0";
  return result;
}

std::string SeriesLine(const promql::Labels& labels) {
  std::string line = labels.Get("__name__");
  bool first = true;
  for (const auto& [name, value] : labels.pairs()) {
    if (name == "__name__") continue;
    line += first ? "{" : ",";
    first = false;
    line += name;
    line += "=\"";
    AppendEscaped(line, value, true);
    line += '"';
  }
  line += first ? " " : "} ";
  return line;
}

std::string RenderText(const Snapshot& snapshot) {
  std::string page;
  page.reserve(snapshot.series.size() * 96);
  MetricId current = MetricId::kCount;
  for (size_t i = 0; i < snapshot.series.size(); ++i) {
    const ExposedSeries& series = *snapshot.series[i];
    if (series.id != current) {
      current = series.id;
      const MetricDef& def = DefOf(current);
      page += "# HELP ";
      page += def.name;
      page += ' ';
      AppendEscaped(page, def.help, false);
      page += "\n# TYPE ";
      page += def.name;
      page += ' ';
      page += TypeName(def.kind);
      page += '\n';
    }
    page += series.line;
    page += FormatValue(snapshot.values[i]);
    page += '\n';
  }
  return page;
}

}  // namespace hearth::metrics
