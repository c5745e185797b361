// hearth bench: how fast the box answers.
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "firmware/cli/bench_report.h"
#include "firmware/cli/bench_run.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/terminal.h"

namespace hearth::cli {
namespace {

struct BenchFlags {
  BenchOptions options;
  std::optional<int> concurrency;
  std::optional<uint64_t> seed;
};

constexpr int kUsualConcurrency = 8;

// The one that is asked, or the only one that there is.
Result<std::string> ModelToAsk(BoxClient& box, const std::string& asked) {
  if (!asked.empty()) return asked;
  HEARTH_ASSIGN_OR_RETURN(const Json answer, box.Get("/v1/models"));
  std::string names;
  for (const Json& model : ListOf(answer, "data")) {
    names += (names.empty() ? "'" : ", '") + TextOf(model, "id") + "'";
  }
  if (ListOf(answer, "data").size() == 1) return TextOf(ListOf(answer, "data")[0], "id");
  return InvalidArgument(names.empty() ? "the box serves no model"
                                       : "name the model with --model; the box serves " + names);
}

Status Bench(const Invocation& invocation, const BenchFlags& flags) {
  BoxClient box(invocation);
  BenchOptions options = flags.options;
  options.url = box.url();
  HEARTH_ASSIGN_OR_RETURN(options.model, ModelToAsk(box, options.model));
  // Arrivals wait for nobody: as many streams as the box itself can hold, unless somebody says so.
  options.concurrency =
      flags.concurrency.value_or(options.rate > 0 ? limits::kHttpStreamThreads : kUsualConcurrency);
  // A run must not find in the prefix cache what the run before it left.
  options.seed = flags.seed.value_or(static_cast<uint64_t>(WallMillis()) << 20);
  const Interrupts interrupts;
  ProgressLine progress(/*silent=*/invocation.json || !IsTerminal(STDERR_FILENO));
  const Result<BenchResult> result =
      RunBench(options, interrupts.flag(), [&](int ended) {
        progress.Show("", std::to_string(ended) + " of " + std::to_string(options.requests) +
                              " requests have ended");
      });
  progress.Clear();
  if (interrupts.happened() && !result.ok()) return Aborted("interrupted before anything was measured");
  if (!result.ok()) return result.status();
  const Json report = ReportOf(*result);
  if (invocation.json) {
    PrintJson(report);
  } else {
    Print(ReportText(report));
  }
  if (interrupts.happened()) return Aborted("interrupted; this is what was measured until then");
  const int64_t failed = CountOf(report, "failed");
  if (failed == 0) return Status::Ok();
  return FailedPrecondition(std::to_string(failed) + " of " + std::to_string(options.requests) +
                            " requests failed: " + PartOf(report, "errors").begin().key());
}

}  // namespace

void AddBenchCommand(CLI::App& hearth, Invocation& invocation) {
  const auto flags = std::make_shared<BenchFlags>();
  BenchOptions& options = flags->options;
  CLI::App* const bench =
      AddCommand(hearth, invocation, "bench",
                 "puts load on the box over its OpenAI API and says how fast it answers",
                 [&invocation, flags] { return Bench(invocation, *flags); });
  bench->add_option("--model", options.model, "a served model; may be left out when there is one")
      ->type_name("NAME");
  bench->add_option("--requests", options.requests, "so many in all")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  bench->add_option("--concurrency", flags->concurrency,
                    "so many at a time, at most; 8 when absent, and 256 with --rate")
      ->check(CLI::Range(1, limits::kHttpStreamThreads));
  bench->add_option("--rate", options.rate,
                    "requests a second that arrive at random, whether the box keeps up or not; "
                    "latencies count from when a request was due")
      ->check(CLI::PositiveNumber);
  bench->add_option("--prompt-tokens", options.prompt_tokens, "of each prompt, about")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  bench->add_option("--output-tokens", options.output_tokens, "of each answer, exactly")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  bench->add_option("--seed", flags->seed,
                    "of prompts and arrivals, to repeat a run; another one each time when absent");
}

}  // namespace hearth::cli
