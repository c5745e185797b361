// Load on a box over its OpenAI API, as its clients see it: real streams, a connection each.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace hearth::cli {

struct BenchOptions {
  std::string url;
  std::string model;
  int requests = 64;
  int concurrency = 8;      // streams at the same time, at most
  double rate = 0;          // requests a second that arrive whether the box keeps up or not; 0: the
                            // next one is sent when one has ended
  int prompt_tokens = 128;  // about; what it was is counted
  int output_tokens = 64;   // exactly: the end of a text is ignored
  uint64_t seed = 1;        // of the prompts and of the arrivals
};

// Of one request; times are of MonotonicSeconds().
struct RequestOutcome {
  double due_s = 0;    // when it had to be sent: latencies are measured from here, so that a client
                       // that falls behind does not make the box look faster
  double sent_s = 0;
  double first_s = 0;  // the first text; 0: there was none
  double end_s = 0;
  std::vector<double> gaps_s;  // between pieces of text
  int64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
  std::string error;  // empty: it was answered
  bool was_tried = false;
};

struct BenchResult {
  BenchOptions options;
  std::vector<RequestOutcome> outcomes;
  double duration_s = 0;  // from the first due request to the end of the last
};

// When each request is due, in seconds from the first, ascending: exponential gaps, as independent
// clients arrive. All 0 without a rate.
std::vector<double> Arrivals(int requests, double rate, uint64_t seed);

// So many words that differ from those of another seed from the first one on, so that a prefix cache
// has nothing to share.
std::string PromptOfWords(int words, uint64_t seed);

// How many words make about so many tokens, by two prompts whose tokens were counted. kInvalidArgument
// when even one word makes more.
struct Counted {
  int words = 0;
  int64_t tokens = 0;
};
Result<int> WordsFor(int tokens, Counted small, Counted large);

// Asks two short questions to learn how long words are, then runs. `on_progress` is told from time to
// time how many have ended. `stop` ends it early, with what there is until then.
Result<BenchResult> RunBench(const BenchOptions& options, const std::atomic<bool>* stop,
                             const std::function<void(int ended)>& on_progress);

}  // namespace hearth::cli
