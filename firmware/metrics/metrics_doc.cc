#include "firmware/metrics/metrics_doc.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <functional>
#include <map>
#include <vector>

#include "base/check.h"
#include "base/markdown.h"
#include "firmware/metrics/metrics_doc_text.h"
#include "firmware/metrics/name_views.h"

namespace hearth::metrics {
namespace {

using Families = std::vector<const MetricDef*>;

struct KnownValues {
  MetricId id;
  std::string_view label;
  std::span<const std::string_view> values;
};

constexpr std::array kKnownValues = {
    KnownValues{MetricId::kNumRequestsWaitingByReason, "reason", kWaitingReasons},
    KnownValues{MetricId::kEngineSleepState, "sleep_state", kSleepStates},
    KnownValues{MetricId::kPromptTokensBySource, "source", kPromptTokenSources},
    KnownValues{MetricId::kRequestSuccess, "finished_reason", kFinishReasons},
    KnownValues{MetricId::kModelState, "state", kModelStates},
    KnownValues{MetricId::kReplicaState, "state", kModelStates},
    KnownValues{MetricId::kModelMemoryBytes, "kind", kMemoryKinds},
    KnownValues{MetricId::kRequestsAnswered, "finish_reason", kAnswerReasons},
    KnownValues{MetricId::kRequestFailures, "reason", kFailureReasons},
    KnownValues{MetricId::kSloTarget, "objective", kSloObjectives},
};

std::string Code(std::string_view text) { return "`" + std::string(text) + "`"; }

// "`a`, `b`".
template <typename Names>
std::string CodeList(const Names& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + Code(name);
  return text;
}

std::string NumberList(std::span<const double> numbers) {
  std::string text;
  for (const double number : numbers) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.15g", number);
    text += (text.empty() ? "" : ", ") + std::string(digits);
  }
  return text;
}

std::string BucketText(const MetricDef& def) {
  if (def.buckets.empty()) return "1, 2, 5, 10, 20, 50, ... up to the model's max_model_len";
  return NumberList(def.buckets);
}

// A GitHub table; columns whose header is empty are left out.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) { Add(header_); }

  void Add(const std::vector<std::string>& cells) {
    CHECK(cells.size() == header_.size());
    const bool is_header = text_.empty();
    std::string rule = "|";
    text_ += '|';
    for (size_t i = 0; i < cells.size(); ++i) {
      if (header_[i].empty()) continue;
      text_ += (cells[i].empty() ? "" : " " + cells[i]) + " |";
      rule += "---|";
    }
    text_ += '\n';
    if (is_header) text_ += rule + '\n';
  }

  const std::string& text() const { return text_; }

 private:
  const std::vector<std::string> header_;
  std::string text_;
};

constexpr std::string_view kNoLabels = "none";

std::string Labels(const MetricDef& def) {
  return def.labels.empty() ? std::string(kNoLabels) : CodeList(def.labels);
}

// What `property` says of every family alike; empty when they differ or there is but one.
std::string Shared(const Families& families,
                   const std::function<std::string(const MetricDef&)>& property) {
  const std::string first = property(*families.front());
  const bool same = std::all_of(families.begin(), families.end(),
                                [&](const MetricDef* def) { return property(*def) == first; });
  return same && families.size() > 1 ? first : "";
}

std::string FamilyTable(const Families& families) {
  const auto observed = [](const MetricDef& def) { return MarkdownCell(def.observed); };
  const std::string labels = Shared(families, Labels);
  const std::string when = Shared(families, observed);
  std::string text;
  if (!labels.empty()) text += labels == kNoLabels ? "No labels." : "Labels of each: " + labels + ".";
  if (!when.empty()) text += std::string(text.empty() ? "" : " ") + "Observed " + when + ".";
  if (!text.empty()) text += "\n\n";

  Table table({"Family", "Type", labels.empty() ? "Labels" : "", "Meaning",
               when.empty() ? "Observed" : ""});
  for (const MetricDef* def : families) {
    table.Add({Code(def->name), std::string(TypeName(def->kind)), Labels(*def), MarkdownCell(def->help),
               observed(*def)});
  }
  return text + table.text();
}

std::string LabelValueList(const Families& families) {
  std::string text;
  for (const MetricDef* def : families) {
    for (const std::string_view label : def->labels) {
      const auto values = KnownLabelValues(*def, label);
      if (values.empty()) continue;
      text += "- " + Code(label) + " of " + Code(def->name) + ": " + CodeList(values) + "\n";
    }
  }
  return text.empty() ? "" : "\nLabel values:\n\n" + text;
}

std::string BucketList(const Families& families) {
  std::vector<std::pair<std::string, std::vector<std::string_view>>> users;  // by the bounds' text
  for (const MetricDef* def : families) {
    if (def->kind != Kind::kHistogram) continue;
    const std::string bounds = BucketText(*def);
    auto it = std::find_if(users.begin(), users.end(),
                           [&](const auto& entry) { return entry.first == bounds; });
    if (it == users.end()) it = users.insert(it, {bounds, {}});
    it->second.push_back(def->name);
  }
  std::string text;
  for (const auto& [bounds, names] : users) {
    text += "- " + CodeList(names) + ":\n  " + bounds + "\n";
  }
  return text.empty() ? "" : "\nBuckets (and +Inf):\n\n" + text;
}

// "`DCGM_FI_DEV_GPU_UTIL` (x 100)".
std::string NameInView(const NameView& view) {
  std::string text = Code(view.name);
  if (view.scale == 0) return text + " (always 0)";
  if (view.scale != 1) text += " (x " + NumberList(std::span(&view.scale, 1)) + ")";
  if (view.shown_as.has_value() && *view.shown_as != DefOf(view.id).kind) {
    text += " (" + std::string(TypeName(*view.shown_as)) + ")";
  }
  return text;
}

std::string OtherNames(const Families& families) {
  std::map<MetricId, std::array<std::string, kViewCount>> names;
  std::array<bool, kViewCount> used{};
  for (const NameView& view : NameViews()) {
    const MetricDef& def = DefOf(view.id);
    if (std::find(families.begin(), families.end(), &def) == families.end()) continue;
    if (view.name == def.name) continue;
    const size_t column = static_cast<size_t>(view.view);
    std::string& cell = names[view.id][column];
    cell += (cell.empty() ? "" : ", ") + NameInView(view);
    used[column] = true;
  }
  if (names.empty()) return "";

  std::vector<std::string> header = {"Family"};
  for (size_t i = 0; i < kViewCount; ++i) {
    header.push_back(used[i] ? "`" + std::string(ViewDefs()[i].name) + "`" : "");
  }
  Table table(header);
  for (const MetricDef* def : families) {
    const auto it = names.find(def->id);
    if (it == names.end()) continue;
    std::vector<std::string> row = {Code(def->name)};
    row.insert(row.end(), it->second.begin(), it->second.end());
    table.Add(row);
  }
  return "\nNames in other views:\n\n" + table.text();
}

// A gauge that is asked for by its name alone needs no example.
std::string Queries(const Families& families) {
  std::string text;
  for (const MetricDef* def : families) {
    const std::string query = ExampleQuery(*def);
    if (query != def->name) text += query + "\n";
  }
  return text.empty() ? "" : "\nQueries:\n\n```promql\n" + text + "```\n";
}

std::string ThemeText(const Theme& theme, const Families& families) {
  std::string text = "\n### " + std::string(theme.title) + "\n\n";
  if (!theme.text.empty()) text += std::string(theme.text) + "\n\n";
  return text + FamilyTable(families) + LabelValueList(families) + BucketList(families) +
         OtherNames(families) + Queries(families);
}

// The chapter's families, one entry for each of its themes.
std::vector<Families> FamiliesByTheme(const Chapter& chapter) {
  std::vector<Families> by_theme(chapter.themes.size());
  size_t current = chapter.themes.size();
  for (const MetricDef& def : MetricDefs()) {
    if (def.source != chapter.source) continue;
    for (size_t i = 0; i < chapter.themes.size(); ++i) {
      if (by_theme[i].empty() && def.name.starts_with(chapter.themes[i].begins)) current = i;
    }
    CHECK(current < chapter.themes.size()) << def.name << " belongs to no theme of its chapter";
    by_theme[current].push_back(&def);
  }
  return by_theme;
}

std::string ChapterText(const Chapter& chapter) {
  std::string text = "\n## " + std::string(chapter.title) + "\n\n" + std::string(chapter.text) + "\n";
  const std::vector<Families> by_theme = FamiliesByTheme(chapter);
  for (size_t i = 0; i < by_theme.size(); ++i) {
    if (!by_theme[i].empty()) text += ThemeText(chapter.themes[i], by_theme[i]);
  }
  return text;
}

// GitHub's anchor of a heading: letters in lower case, digits, '-' and '_'; a space becomes '-'.
std::string Anchor(std::string_view heading) {
  std::string anchor = "#";
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

std::string Link(std::string_view heading) {
  return "[" + std::string(heading) + "](" + Anchor(heading) + ")";
}

std::string Contents() {
  std::string text;
  for (const Chapter& chapter : DocChapters()) {
    text += "- " + Link(chapter.title) + "\n";
    const std::vector<Families> by_theme = FamiliesByTheme(chapter);
    for (size_t i = 0; i < by_theme.size(); ++i) {
      if (!by_theme[i].empty()) text += "  - " + Link(chapter.themes[i].title) + "\n";
    }
  }
  return text;
}

std::string ViewTable() {
  Table table({"View", "Names", "On `/metrics` by default"});
  for (const ViewDef& def : ViewDefs()) {
    table.Add({Code(def.name), MarkdownCell(def.help), def.by_default ? "yes" : "no"});
  }
  return table.text();
}

}  // namespace

std::string ExampleQuery(const MetricDef& def) {
  if (!def.example.empty()) return std::string(def.example);
  const std::string name(def.name);
  const bool has_model =
      std::find(def.labels.begin(), def.labels.end(), "model_name") != def.labels.end();
  switch (def.kind) {
    case Kind::kCounter: return "rate(" + name + "[5m])";
    case Kind::kGauge: return name;
    case Kind::kHistogram:
      return "histogram_quantile(0.95, sum by (le" + std::string(has_model ? ", model_name" : "") +
             ") (rate(" + name + "_bucket[5m])))";
    case Kind::kSummary: return "rate(" + name + "_sum[5m]) / rate(" + name + "_count[5m])";
  }
  return name;
}

std::span<const std::string_view> KnownLabelValues(const MetricDef& def, std::string_view label) {
  for (const KnownValues& known : kKnownValues) {
    if (known.id == def.id && known.label == label) return known.values;
  }
  return {};
}

std::string MetricsDoc() {
  std::string text(kDocIntroduction);
  text += ViewTable();
  text += kDocViews;
  text += "\n## Families\n\n" + Contents();
  for (const Chapter& chapter : DocChapters()) text += ChapterText(chapter);
  return text;
}

}  // namespace hearth::metrics
