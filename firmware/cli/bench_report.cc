#include "firmware/cli/bench_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "base/check.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/text_table.h"

namespace hearth::cli {
namespace {

Json SummaryMs(std::vector<double> seconds) {
  if (seconds.empty()) return nullptr;
  std::sort(seconds.begin(), seconds.end());
  const double mean = std::accumulate(seconds.begin(), seconds.end(), 0.0) /
                      static_cast<double>(seconds.size());
  const auto ms = [](double value_s) { return std::round(value_s * 1e6) / 1e3; };
  return Json{{"mean", ms(mean)},
              {"p50", ms(Percentile(seconds, 0.5))},
              {"p90", ms(Percentile(seconds, 0.9))},
              {"p99", ms(Percentile(seconds, 0.99))},
              {"max", ms(seconds.back())}};
}

std::string Fixed(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

std::vector<std::string> Row(const char* name, const Json& summary) {
  std::vector<std::string> row = {name};
  for (const char* key : {"p50", "p90", "p99", "mean", "max"}) {
    const auto value = NumberOf(summary, key);
    row.push_back(value ? Fixed(*value, *value < 100 ? 1 : 0) : "-");
  }
  return row;
}

}  // namespace

double Percentile(const std::vector<double>& values, double share) {
  CHECK(!values.empty());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
}

Json ReportOf(const BenchResult& result) {
  std::vector<double> ttft, tpot, itl, e2e, delay;
  int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0, succeeded = 0, failed = 0;
  std::map<std::string, int64_t> errors;
  for (const RequestOutcome& outcome : result.outcomes) {
    if (!outcome.was_tried) continue;
    delay.push_back(outcome.sent_s - outcome.due_s);
    if (!outcome.error.empty()) {
      ++failed;
      ++errors[outcome.error];
      continue;
    }
    ++succeeded;
    prompt_tokens += outcome.prompt_tokens;
    cached_tokens += outcome.cached_tokens;
    output_tokens += outcome.completion_tokens;
    e2e.push_back(outcome.end_s - outcome.due_s);
    itl.insert(itl.end(), outcome.gaps_s.begin(), outcome.gaps_s.end());
    if (outcome.first_s == 0) continue;
    ttft.push_back(outcome.first_s - outcome.due_s);
    if (outcome.completion_tokens < 2) continue;
    const double text_s = std::accumulate(outcome.gaps_s.begin(), outcome.gaps_s.end(), 0.0);
    tpot.push_back(text_s / static_cast<double>(outcome.completion_tokens - 1));
  }
  const double seconds = std::max(result.duration_s, 1e-9);
  const auto a_second = [&](int64_t count) {
    return std::round(static_cast<double>(count) / seconds * 1000) / 1000;
  };
  return Json{{"model", result.options.model},
              {"concurrency", result.options.concurrency},
              {"rate", result.options.rate > 0 ? Json(result.options.rate) : Json()},
              {"requests", result.options.requests},
              {"succeeded", succeeded},
              {"failed", failed},
              {"errors", errors},
              {"duration_s", result.duration_s},
              {"prompt_tokens", prompt_tokens},
              {"cached_tokens", cached_tokens},
              {"output_tokens", output_tokens},
              {"requests_per_s", a_second(succeeded)},
              {"prompt_tokens_per_s", a_second(prompt_tokens)},
              {"output_tokens_per_s", a_second(output_tokens)},
              {"ttft_ms", SummaryMs(std::move(ttft))},
              {"tpot_ms", SummaryMs(std::move(tpot))},
              {"itl_ms", SummaryMs(std::move(itl))},
              {"e2e_ms", SummaryMs(std::move(e2e))},
              {"send_delay_ms", SummaryMs(std::move(delay))}};
}

std::string ReportText(const Json& report) {
  const auto rate = NumberOf(report, "rate");
  const int64_t succeeded = CountOf(report, "succeeded");
  const auto mean = [&](const char* key) {
    return succeeded == 0 ? 0 : CountOf(report, key) / succeeded;
  };
  std::string text =
      "'" + TextOf(report, "model") + "': " + std::to_string(succeeded) + " of " +
      std::to_string(CountOf(report, "requests")) + " requests answered in " +
      DurationText(NumberOf(report, "duration_s").value_or(0)) + ", " +
      (rate ? Fixed(*rate, 2) + " a second arriving"
            : std::to_string(CountOf(report, "concurrency")) + " at a time") +
      ", " + std::to_string(mean("prompt_tokens")) + " prompt and " +
      std::to_string(mean("output_tokens")) + " output tokens each\n\n";
  text += TextTable({{"ms", "p50", "p90", "p99", "mean", "max"},
                     Row("time to first token (TTFT)", PartOf(report, "ttft_ms")),
                     Row("time per output token (TPOT)", PartOf(report, "tpot_ms")),
                     Row("between pieces of text (ITL)", PartOf(report, "itl_ms")),
                     Row("whole answer (E2E)", PartOf(report, "e2e_ms")),
                     Row("sent late by this client", PartOf(report, "send_delay_ms"))});
  text += "\n" + TextTable({{"a second", ""},
                            {"requests", Fixed(*NumberOf(report, "requests_per_s"), 2)},
                            {"prompt tokens", Fixed(*NumberOf(report, "prompt_tokens_per_s"), 1)},
                            {"output tokens", Fixed(*NumberOf(report, "output_tokens_per_s"), 1)}});
  if (const int64_t cached = CountOf(report, "cached_tokens"); cached > 0) {
    text += "\n" + std::to_string(cached) + " prompt tokens came from the prefix cache\n";
  }
  const Json& errors = PartOf(report, "errors");
  if (!errors.empty()) text += "\nerrors\n";
  for (const auto& [message, count] : errors.items()) {
    text += "  " + DumpJson(count) + " times: " + message + "\n";
  }
  return text;
}

}  // namespace hearth::cli
