#include "firmware/cli/bench_run.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <mutex>
#include <random>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/json.h"
#include "firmware/cli/box_client.h"
#include "firmware/cli/event_stream.h"
#include "firmware/cli/read_json.h"
#include "firmware/http_client/http_client.h"

namespace hearth::cli {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(100);

// Common words, which tokenizers know as one token or two.
constexpr std::array<std::string_view, 48> kWords = {
    "the",   "of",    "and",   "to",    "in",    "is",     "that",  "for",   "it",    "with",
    "as",    "was",   "on",    "are",   "by",    "this",   "be",    "from",  "or",    "have",
    "an",    "they",  "which", "one",   "you",   "were",   "all",   "her",   "she",   "there",
    "would", "their", "we",    "him",   "been",  "has",    "when",  "who",   "will",  "no",
    "more",  "if",    "out",   "so",    "up",    "said",   "what",  "its"};

std::string BodyOf(const BenchOptions& options, const std::string& prompt, int output_tokens) {
  return DumpJson(Json{{"model", options.model},
                       {"messages", {{{"role", "user"}, {"content", prompt}}}},
                       {"max_tokens", output_tokens},
                       {"ignore_eos", true},
                       {"temperature", 0},
                       {"stream", true},
                       {"stream_options", {{"include_usage", true}}}});
}

// Sends one request and notes when its parts came.
void Measure(HttpClient& client, const BenchOptions& options, const std::string& body,
             RequestOutcome& outcome) {
  StreamedAnswer answer;
  double last_s = 0;
  EventCutter cutter([&](std::string_view data) {
    if (answer.Add(data).empty()) return answer.error.ok();
    const double now_s = MonotonicSeconds();
    if (outcome.first_s == 0) {
      outcome.first_s = now_s;
    } else {
      outcome.gaps_s.push_back(now_s - last_s);
    }
    last_s = now_s;
    return true;
  });
  ClientRequest request;
  request.method = "POST";
  request.url = options.url + "/v1/chat/completions";
  request.headers = {"Content-Type: application/json", "X-Hearth-Client: hearth bench"};
  request.body = body;
  request.on_body = [&](std::string_view piece) { return cutter.Take(piece); };
  request.timeout_s = 0;
  request.still_s = 0;  // how long a box lets its clients wait is what is measured
  outcome.was_tried = true;
  outcome.sent_s = MonotonicSeconds();
  const Result<ClientAnswer> answered = client.Do(request);
  outcome.end_s = MonotonicSeconds();
  if (!answered.ok()) {
    outcome.error = answered.status().message();
  } else if (answered->status != 200) {
    const Result<Json> refusal = ParseJson(answered->body);
    const std::string message =
        refusal.ok() ? TextOf(PartOf(*refusal, "error"), "message") : std::string();
    outcome.error = std::to_string(answered->status) + (message.empty() ? "" : ": " + message);
  } else if (!answer.error.ok()) {
    outcome.error = answer.error.message();
  } else if (!answer.is_whole) {
    outcome.error = "the answer ended in the middle";
  }
  outcome.prompt_tokens = answer.prompt_tokens.value_or(0);
  outcome.cached_tokens = answer.cached_tokens;
  outcome.completion_tokens = answer.completion_tokens.value_or(0);
}

Result<Counted> Count(const BenchOptions& options, int words, const std::atomic<bool>* stop) {
  HttpClient client(stop);
  RequestOutcome outcome;
  Measure(client, options, BodyOf(options, PromptOfWords(words, options.seed), 1), outcome);
  if (!outcome.error.empty()) return Unavailable("the box does not answer: " + outcome.error);
  return Counted{words, outcome.prompt_tokens};
}

// What all workers share.
class Run {
 public:
  Run(BenchResult& result, int words, const std::atomic<bool>* stop)
      : result_(result),
        words_(words),
        stop_(stop),
        due_s_(Arrivals(result.options.requests, result.options.rate, result.options.seed)),
        begun_s_(MonotonicSeconds()) {}

  // Takes requests, one after the other, until there are none. On a thread of its own.
  void Work();

  int ended() const { return ended_; }
  bool is_over() const { return workers_ended_ == workers_; }
  void SetWorkers(int workers) { workers_ = workers; }
  double begun_s() const { return begun_s_; }

 private:
  bool is_stopped() const { return stop_ != nullptr && *stop_; }
  void WaitUntil(double when_s) const;

  BenchResult& result_;
  const int words_;
  const std::atomic<bool>* const stop_;
  const std::vector<double> due_s_;
  const double begun_s_;
  int workers_ = 0;
  std::atomic<int> next_{0}, ended_{0}, workers_ended_{0};
};

void Run::WaitUntil(double when_s) const {
  while (!is_stopped()) {
    const double left_s = when_s - MonotonicSeconds();
    if (left_s <= 0) return;
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left_s, 0.1)));
  }
}

void Run::Work() {
  HttpClient client(stop_);
  const BenchOptions& options = result_.options;
  while (!is_stopped()) {
    const int index = next_++;
    if (index >= options.requests) break;
    RequestOutcome& outcome = result_.outcomes[static_cast<size_t>(index)];
    const std::string body =
        BodyOf(options, PromptOfWords(words_, options.seed + 1 + static_cast<uint64_t>(index)),
               options.output_tokens);
    outcome.due_s = begun_s_ + due_s_[static_cast<size_t>(index)];
    if (options.rate <= 0) outcome.due_s = MonotonicSeconds();
    WaitUntil(outcome.due_s);
    if (is_stopped()) break;
    Measure(client, options, body, outcome);
    ++ended_;
  }
  ++workers_ended_;
}

}  // namespace

std::vector<double> Arrivals(int requests, double rate, uint64_t seed) {
  std::vector<double> arrivals(static_cast<size_t>(std::max(requests, 0)), 0.0);
  if (rate <= 0) return arrivals;
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(rate);
  for (size_t i = 1; i < arrivals.size(); ++i) arrivals[i] = arrivals[i - 1] + gap(random);
  return arrivals;
}

std::string PromptOfWords(int words, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string prompt = std::to_string(random() % 1'000'000);
  for (int i = 1; i < words; ++i) {
    prompt += ' ';
    prompt += kWords[random() % kWords.size()];
  }
  return prompt;
}

Result<int> WordsFor(int tokens, Counted small, Counted large) {
  const double each = static_cast<double>(large.tokens - small.tokens) /
                      static_cast<double>(large.words - small.words);
  if (!(each > 0)) {
    return DataLoss("the box counts " + std::to_string(small.tokens) + " tokens for " +
                    std::to_string(small.words) + " words and " + std::to_string(large.tokens) +
                    " for " + std::to_string(large.words));
  }
  const double beside = static_cast<double>(small.tokens) - each * small.words;  // the template's
  const double words = (tokens - beside) / each;
  if (words < 1) {
    return InvalidArgument("--prompt-tokens " + std::to_string(tokens) +
                           " is less than a prompt of one word takes, about " +
                           std::to_string(static_cast<int>(std::ceil(beside + each))));
  }
  return static_cast<int>(std::lround(words));
}

Result<BenchResult> RunBench(const BenchOptions& options, const std::atomic<bool>* stop,
                             const std::function<void(int ended)>& on_progress) {
  HEARTH_ASSIGN_OR_RETURN(const Counted small, Count(options, 8, stop));
  HEARTH_ASSIGN_OR_RETURN(const Counted large, Count(options, 72, stop));
  HEARTH_ASSIGN_OR_RETURN(const int words, WordsFor(options.prompt_tokens, small, large));
  BenchResult result{options, std::vector<RequestOutcome>(static_cast<size_t>(options.requests)),
                     0};
  {
    const int workers = std::min(options.concurrency, options.requests);
    Run run(result, words, stop);
    run.SetWorkers(workers);
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i) threads.emplace_back([&run] { run.Work(); });
    while (!run.is_over()) {
      on_progress(run.ended());
      std::this_thread::sleep_for(kLookEvery);
    }
    threads.clear();
    double last_s = run.begun_s();
    for (const RequestOutcome& outcome : result.outcomes) last_s = std::max(last_s, outcome.end_s);
    result.duration_s = last_s - run.begun_s();
  }
  return result;
}

}  // namespace hearth::cli
