#include "firmware/cli/history_export.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <set>

#include "base/clock.h"
#include "firmware/cli/text_table.h"
#include "firmware/metrics/exposition.h"
#include "firmware/metrics/viewed_series.h"
#include "storage/frame.h"
#include "storage/promql/parser.h"

namespace hearth::cli {

namespace {

using Matchers = std::vector<promql::Matcher>;

constexpr const char* kNameLabel = "__name__";
constexpr int64_t kFarFutureMs = 7'258'118'400'000;  // the year 2200

// What is exported, parsed.
struct Selection {
  std::vector<Matchers> selectors;
  promql::SelectHints hints;  // the finest tier answers unless there is a step
};

// Shortest digits that read back.
void AppendValue(std::string& text, double value) {
  if (std::isnan(value)) {
    text += "NaN";
  } else if (std::isinf(value)) {
    text += value > 0 ? "+Inf" : "-Inf";
  } else {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    text.append(digits, end);
  }
}

class Writer {
 public:
  static Result<std::unique_ptr<Writer>> Open(const ExportOptions& options) {
    std::FILE* file = stdout;
    if (!options.output.empty()) {
      file = std::fopen(options.output.c_str(), "wbx");
      if (file == nullptr) return ErrnoStatus("cannot make " + options.output, errno);
    }
    return std::unique_ptr<Writer>(new Writer(file, options.format == "openmetrics"));
  }
  ~Writer() {
    if (file_ != stdout) std::fclose(file_);
  }

  void Begin() {
    if (!open_metrics_) text_ = "time,series,value\n";
  }
  void Family(const std::string& name) {
    if (open_metrics_) text_ += "# TYPE " + name + " unknown\n";
  }
  // False: nobody takes the text.
  bool Add(const promql::Series& series) {
    const std::string name = metrics::SeriesText(series.labels);
    for (const promql::Sample& sample : series.samples) {
      if (storage::IsAbsent(sample.value)) continue;  // neither format can say that a series ended
      open_metrics_ ? AddOpenMetrics(name, sample) : AddCsv(name, sample);
      if (text_.size() >= kPieceBytes && !Flush()) return false;
    }
    return true;
  }
  Status End() {
    if (open_metrics_) text_ += "# EOF\n";
    if (Flush() && std::fflush(file_) == 0) return Status::Ok();
    return ErrnoStatus("cannot write the export", errno);
  }

 private:
  static constexpr size_t kPieceBytes = size_t{1} << 20;

  Writer(std::FILE* file, bool open_metrics) : file_(file), open_metrics_(open_metrics) {}

  void AddOpenMetrics(const std::string& name, const promql::Sample& sample) {
    text_.append(name).append(" ");
    AppendValue(text_, sample.value);
    char stamp[48];
    std::snprintf(stamp, sizeof stamp, " %lld.%03lld\n",
                  static_cast<long long>(sample.time_ms / 1000),
                  static_cast<long long>(sample.time_ms % 1000));
    text_ += stamp;
  }
  void AddCsv(const std::string& name, const promql::Sample& sample) {
    const std::string utc = UtcText(sample.time_ms);  // "2026-01-31 23:59:59Z"
    char millis[8];
    std::snprintf(millis, sizeof millis, ".%03dZ", static_cast<int>(sample.time_ms % 1000));
    text_.append(utc, 0, 10).append("T").append(utc, 11, 8).append(millis).append(",\"");
    for (const char c : name) text_.append(c == '"' ? 2 : 1, c);
    text_ += "\",";
    AppendValue(text_, sample.value);
    text_ += '\n';
  }
  bool Flush() {
    const bool written = std::fwrite(text_.data(), 1, text_.size(), file_) == text_.size();
    text_.clear();
    return written;
  }

  std::FILE* const file_;
  const bool open_metrics_;
  std::string text_;
};

Result<Selection> Parse(const ExportOptions& options) {
  const int64_t now_ms = WallMillis();
  Selection selection;
  selection.hints.end_ms = now_ms;
  if (!options.start.empty()) {
    HEARTH_ASSIGN_OR_RETURN(const int64_t start_ms, ParseTimeMs(options.start, now_ms));
    selection.hints.start_ms = start_ms - 1;  // which is exclusive
  }
  if (!options.end.empty()) {
    HEARTH_ASSIGN_OR_RETURN(selection.hints.end_ms, ParseTimeMs(options.end, now_ms));
  }
  if (!options.step.empty()) {
    HEARTH_ASSIGN_OR_RETURN(selection.hints.step_ms, promql::ParseDurationMs(options.step));
  }
  for (const std::string& selector : options.selectors) {
    HEARTH_ASSIGN_OR_RETURN(Matchers matchers, promql::ParseMatchers(selector));
    selection.selectors.push_back(std::move(matchers));
  }
  if (selection.selectors.empty()) selection.selectors.emplace_back();
  return selection;
}

// The last sample of each step.
void Thin(std::vector<promql::Sample>& samples, int64_t step_ms) {
  size_t kept = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const bool is_last = i + 1 == samples.size() || (samples[i].time_ms - 1) / step_ms !=
                                                        (samples[i + 1].time_ms - 1) / step_ms;
    if (is_last) samples[kept++] = samples[i];
  }
  samples.resize(kept);
}

// Calls visit(name, series) for each name that a selector finds, with all its series, each once.
template <typename Visit>
Status ForEachFamily(const promql::SeriesSource& source, const Selection& selection, Visit visit) {
  const promql::SelectHints& hints = selection.hints;
  std::set<std::string> names;
  for (const Matchers& matchers : selection.selectors) {
    HEARTH_ASSIGN_OR_RETURN(const auto found,
                            source.SeriesLabels(matchers, hints.start_ms, hints.end_ms));
    for (const promql::Labels& labels : found) names.insert(labels.Get(kNameLabel));
  }
  for (const std::string& name : names) {
    std::map<promql::Labels, promql::Series> family;
    for (Matchers matchers : selection.selectors) {
      HEARTH_ASSIGN_OR_RETURN(
          promql::Matcher named,
          promql::Matcher::Make(kNameLabel, promql::Matcher::Op::kEqual, name));
      matchers.push_back(std::move(named));
      HEARTH_ASSIGN_OR_RETURN(auto found, source.Select(matchers, hints));
      for (promql::Series& series : found) family.try_emplace(series.labels, std::move(series));
    }
    HEARTH_RETURN_IF_ERROR(visit(name, family));
  }
  return Status::Ok();
}

}  // namespace

Result<int64_t> ParseTimeMs(const std::string& text, int64_t now_ms) {
  std::tm utc{};
  const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest != nullptr && std::string_view(rest) == "Z") return ::timegm(&utc) * int64_t{1000};
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, seconds);
  if (error == std::errc() && parsed == end && std::abs(seconds) < 1e12) {
    return static_cast<int64_t>(std::llround(seconds * 1000));
  }
  if (const auto span_ms = promql::ParseDurationMs(text); span_ms.ok()) return now_ms - *span_ms;
  return InvalidArgument("'" + text +
                         "' is no time; write Unix seconds, 2026-01-31T23:59:59Z or a span before "
                         "now such as 6h");
}

Status ExportHistory(const storage::History& history, const ExportOptions& options) {
  HEARTH_ASSIGN_OR_RETURN(const Selection selection, Parse(options));
  HEARTH_ASSIGN_OR_RETURN(const auto writer, Writer::Open(options));
  const metrics::ViewedSeries viewed(&history);
  const promql::SeriesSource* source = &history;
  if (!options.selectors.empty()) source = &viewed;
  writer->Begin();
  const int64_t step_ms = selection.hints.step_ms;
  HEARTH_RETURN_IF_ERROR(ForEachFamily(
      *source, selection,
      [&](const std::string& name, std::map<promql::Labels, promql::Series>& family) -> Status {
        writer->Family(name);
        for (auto& [labels, series] : family) {
          if (step_ms > 0) Thin(series.samples, step_ms);
          if (!writer->Add(series)) return ErrnoStatus("cannot write the export", errno);
        }
        return Status::Ok();
      }));
  return writer->End();
}

Result<int64_t> CountSamples(const storage::History& history) {
  Selection everything;
  everything.hints.end_ms = kFarFutureMs;
  everything.selectors.emplace_back();
  int64_t samples = 0;
  HEARTH_RETURN_IF_ERROR(ForEachFamily(
      history, everything,
      [&](const std::string&, std::map<promql::Labels, promql::Series>& family) -> Status {
        for (const auto& [labels, series] : family) {
          samples += std::count_if(series.samples.begin(), series.samples.end(),
                                   [](const promql::Sample& sample) {
                                     return !storage::IsAbsent(sample.value);
                                   });
        }
        return Status::Ok();
      }));
  return samples;
}

}  // namespace hearth::cli
