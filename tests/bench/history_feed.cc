// The load of the history's benches as text, so that other databases are given the same samples.
//   history_feed <form> <first second> <seconds> <interval> [name]
// Series whose name begins with [name], sampled every <interval> seconds of <seconds>; the first sample
// is at <first second> + <interval>, Unix. Forms:
//   openmetrics   for promtool tsdb create-blocks-from openmetrics
//   prometheus    the text format, times in milliseconds
//   frames        for history_server --replay
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/history_load.h"

namespace hearth::storage {
namespace {

enum class Form { kOpenMetrics, kPrometheus, kFrames };

std::optional<Form> ParseForm(std::string_view text) {
  if (text == "openmetrics") return Form::kOpenMetrics;
  if (text == "prometheus") return Form::kPrometheus;
  if (text == "frames") return Form::kFrames;
  return std::nullopt;
}

struct FedSeries {
  std::string name;  // name{le="1"}
  std::string declaration;
};

// No value of the load needs escaping.
FedSeries Describe(const promql::Labels& labels, SeriesKind kind) {
  FedSeries series{labels.Get("__name__"), ""};
  const std::string& le = labels.Get("le");
  series.declaration = std::string("series ") +
                       (kind == SeriesKind::kCounter ? "counter" : "gauge") + " {\"__name__\":\"" +
                       series.name + '"' + (le.empty() ? "" : ",\"le\":\"" + le + '"') + '}';
  if (!le.empty()) series.name += "{le=\"" + le + "\"}";
  return series;
}

class Writer {
 public:
  Writer(Form form, std::string_view prefix) : form_(form) {
    load_.emplace([&](const promql::Labels& labels, SeriesKind kind) {
      const auto id = static_cast<SeriesId>(series_.size());
      series_.push_back(Describe(labels, kind));
      if (series_.back().name.starts_with(prefix)) fed_.push_back(id);
      return id;
    });
  }

  void Write(int64_t first_s, int seconds, int interval) {
    if (form_ == Form::kFrames) {
      for (const SeriesId id : fed_) std::puts(series_[id].declaration.c_str());
    }
    for (int second = 1; second <= seconds; ++second) {
      const auto& values = load_->Step(second);
      if (second % interval == 0) WriteFrame(first_s + second, values);
    }
    if (form_ == Form::kOpenMetrics) std::puts("# EOF");
  }

 private:
  void WriteFrame(int64_t time_s, const std::vector<std::pair<SeriesId, double>>& values) const {
    const auto time = static_cast<long long>(time_s);
    if (form_ == Form::kFrames) std::printf("frame %lld000", time);
    for (const SeriesId id : fed_) {
      const double value = values[id].second;
      switch (form_) {
        case Form::kFrames: std::printf(" %.15g", value); break;
        case Form::kOpenMetrics:
          std::printf("%s %.15g %lld\n", series_[id].name.c_str(), value, time);
          break;
        case Form::kPrometheus:
          std::printf("%s %.15g %lld000\n", series_[id].name.c_str(), value, time);
          break;
      }
    }
    if (form_ == Form::kFrames) std::putchar('\n');
  }

  const Form form_;
  std::vector<FedSeries> series_;
  std::vector<SeriesId> fed_;
  std::optional<Load> load_;
};

}  // namespace
}  // namespace hearth::storage

int main(int argc, char** argv) {
  using hearth::storage::ParseForm;
  const auto form = argc >= 5 ? ParseForm(argv[1]) : std::nullopt;
  const int interval = argc >= 5 ? std::atoi(argv[4]) : 0;
  if (!form || interval < 1) {
    std::fprintf(stderr, "usage: history_feed openmetrics|prometheus|frames <first second> <seconds> "
                         "<interval> [name]\n");
    return 2;
  }
  hearth::storage::Writer(*form, argc > 5 ? argv[5] : "")
      .Write(std::atoll(argv[2]), std::atoi(argv[3]), interval);
  return 0;
}
