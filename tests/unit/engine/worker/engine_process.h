// Starts the real hearth-engine, as hearthd does, and speaks its protocol.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/protocol/channel.h"

namespace hearth::engine {

// All that one request brought.
struct Answer {
  std::string text;
  std::vector<int> token_ids;
  protocol::Accepted accepted;
  protocol::FinishedRequest finished;
  int num_cached_tokens = 0;  // as its first delta says
};

class EngineProcess {
 public:
  EngineProcess();
  // Ends a process that still runs.
  ~EngineProcess();

  pid_t pid() const { return pid_; }
  protocol::Channel& channel() { return *channel_; }
  void CloseChannel() { channel_.reset(); }

  // Sends Load and waits for Ready; `model_dir` relative to the source root.
  protocol::Ready Load(const std::string& model_dir, int max_model_len = 0,
                       bool enable_prefix_caching = true);

  // The next frame of type T. Progress and StepOutput frames before it are passed over, any other
  // frame fails the test.
  template <typename T>
  T Next();

  // Sends `generate` and follows it to its end; `last_stats` is left as the state after it, and
  // `num_queries` and `num_hits` have grown by what its steps asked of the prefix cache.
  Answer Ask(const protocol::Generate& generate);

  // Steps until every one of `requests` requests has finished, by request id.
  std::vector<Answer> Collect(size_t requests);

  // Receives steps until the pool is empty: blocks of an ended request are free in the next step.
  void ExpectPoolToEmpty();

  // Waits for the end of the process and gives waitpid's status.
  int WaitStatus();

  protocol::StepStats last_stats;
  int num_queries = 0;  // tokens
  int num_hits = 0;     // tokens

 private:
  pid_t pid_ = -1;
  std::unique_ptr<protocol::Channel> channel_;
  std::map<uint64_t, protocol::Accepted> accepted_;  // by request id
};

// The path of the executable, next to this test's own.
std::string EnginePath();

// Forks and executes hearth-engine with `arguments`; `inherited_fd` (or -1) stays open in it.
pid_t SpawnEngine(const std::vector<std::string>& arguments, int inherited_fd, int stderr_fd = -1);

}  // namespace hearth::engine
