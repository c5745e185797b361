#include "firmware/metrics/exposition.h"

#include <array>
#include <cmath>

#include "firmware/metrics/number_format.h"

namespace hearth::metrics {

struct Exposition::Page {
  const Snapshot& snapshot;
  const Format format;
  const std::string stamp;  // what ends each line: a blank and the sample's time, or nothing
  std::array<std::pair<size_t, size_t>, kMetricCount> family = {};  // [begin, end) in the snapshot
  std::string text = {};
};

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

// OpenMetrics names a counter's family without the _total of its series.
std::string_view FamilyName(const NameView& view, Format format) {
  std::string_view name = view.name;
  if (format == Format::kOpenMetrics && view.kind() == Kind::kCounter) {
    if (name.ends_with("_total")) name.remove_suffix(std::string_view("_total").size());
  }
  return name;
}

// OpenMetrics has no counter whose series lacks _total; names of others (DCGM's) may lack it.
std::string_view FamilyType(const NameView& view, Format format) {
  if (format == Format::kOpenMetrics && view.kind() == Kind::kCounter &&
      !view.name.ends_with("_total")) {
    return "unknown";
  }
  return TypeName(view.kind());
}

void AppendHead(const NameView& view, Format format, std::string& text) {
  const std::string_view name = FamilyName(view, format);
  const bool open_metrics = format == Format::kOpenMetrics;
  if (open_metrics)
    text.append("# TYPE ").append(name).append(" ").append(FamilyType(view, format));
  text.append(open_metrics ? "\n# HELP " : "# HELP ").append(name).append(" ");
  AppendEscaped(text, view.help_text(), open_metrics);
  if (!open_metrics) {
    text.append("\n# TYPE ").append(name).append(" ").append(FamilyType(view, format));
  }
  text += '\n';
}

bool IsCount(std::string_view suffix) { return suffix == "_bucket" || suffix == "_count"; }

void AppendNumber(const RecordedSeries& series, double value, Format format, std::string& text) {
  if (format == Format::kOpenMetrics && IsCount(series.suffix)) {
    text += std::to_string(static_cast<uint64_t>(value));  // OpenMetrics: counts are integers
  } else {
    text += FormatValue(value);
  }
}

void AppendExemplar(const Snapshot& snapshot, const RecordedSeries& series, const NameView& view,
                    std::string& text) {
  const auto it = snapshot.exemplars.find(series.index);
  if (it == snapshot.exemplars.end()) return;
  text += " # {request_id=\"";
  AppendEscaped(text, it->second.request_id, true);
  text += "\"} " + FormatValue(view.Scaled(it->second.value)) + ' ';
  char stamp[32];
  std::snprintf(stamp, sizeof stamp, "%.3f", it->second.time_s);
  text += stamp;
}

// `series`: the last of a counter, histogram or summary, whose labels, but for le, are the
// metric's.
void AppendCreated(const NameView& view, const RecordedSeries& series, const std::string& stamp,
                   std::string& text) {
  const std::string name = std::string(FamilyName(view, Format::kOpenMetrics)) + "_created";
  text += SeriesText(ViewLabels(view, series.labels, name));
  char created[32];
  std::snprintf(created, sizeof created, " %.3f", series.created_s);
  text.append(created).append(stamp) += '\n';
}

// Milliseconds in the text format, seconds in OpenMetrics.
std::string StampText(int64_t time_ms, Format format) {
  if (format == Format::kText) return ' ' + std::to_string(time_ms);
  char stamp[32];
  std::snprintf(stamp, sizeof stamp, " %lld.%03lld", static_cast<long long>(time_ms / 1000),
                static_cast<long long>(time_ms % 1000));
  return stamp;
}

bool EndsMetric(Kind kind, std::string_view suffix) {
  if (kind == Kind::kCounter) return true;
  return kind != Kind::kGauge && suffix == "_sum";
}

}  // namespace

std::string SeriesText(const promql::Labels& labels) {
  std::string text = labels.Get("__name__");
  bool first = true;
  for (const auto& [name, value] : labels.pairs()) {
    if (name == "__name__") continue;
    text += first ? "{" : ",";
    first = false;
    text += name;
    text += "=\"";
    AppendEscaped(text, value, true);
    text += '"';
  }
  if (!first) text += '}';
  return text;
}

const std::string& Exposition::NameOf(const NameView& view, size_t row,
                                      const RecordedSeries& series) {
  const auto [it, is_new] = names_[row].try_emplace(series.index);
  if (is_new) {
    if (const auto name = view.SeriesName(series.suffix)) {
      it->second = SeriesText(ViewLabels(view, series.labels, *name)) + ' ';
    }
  }
  return it->second;
}

void Exposition::AppendFamily(const NameView& view, size_t row, Page& page) {
  const auto [begin, end] = page.family[static_cast<size_t>(view.id)];
  if (begin == end) return;
  const bool open_metrics = page.format == Format::kOpenMetrics;
  const bool has_created = open_metrics && FamilyType(view, page.format) != "unknown";
  AppendHead(view, page.format, page.text);
  for (size_t i = begin; i < end; ++i) {
    const RecordedSeries& series = *page.snapshot.series[i];
    const std::string& name = NameOf(view, row, series);
    if (name.empty()) continue;
    page.text += name;
    AppendNumber(series, view.Scaled(page.snapshot.values[i]), page.format, page.text);
    page.text += page.stamp;
    if (open_metrics && series.suffix == "_bucket") {
      AppendExemplar(page.snapshot, series, view, page.text);
    }
    page.text += '\n';
    if (has_created && EndsMetric(view.kind(), series.suffix)) {
      AppendCreated(view, series, page.stamp, page.text);
    }
  }
}

std::string Exposition::Render(const Snapshot& snapshot, Format format, ViewSet views,
                               Timestamps timestamps) {
  Page page{snapshot, format,
            timestamps == Timestamps::kSample ? StampText(snapshot.time_ms, format) : ""};
  page.text.reserve(snapshot.series.size() * 160);
  for (size_t i = 0; i < snapshot.series.size(); ++i) {
    auto& [begin, end] = page.family[static_cast<size_t>(snapshot.series[i]->id)];
    if (end == 0) begin = i;
    end = i + 1;
  }
  const auto rows = NameViews();
  names_.resize(rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    if (views.Has(rows[row].view)) AppendFamily(rows[row], row, page);
  }
  if (format == Format::kOpenMetrics) page.text += "# EOF\n";
  return std::move(page.text);
}

}  // namespace hearth::metrics
