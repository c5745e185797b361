#include "tests/unit/engine/worker/engine_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/check.h"

namespace hearth::engine {

std::string EnginePath() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "hearth-engine").string();
}

pid_t SpawnEngine(const std::vector<std::string>& arguments, int inherited_fd, int stderr_fd) {
  const std::string path = EnginePath();
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  if (inherited_fd >= 0) fcntl(inherited_fd, F_SETFD, 0);
  if (stderr_fd >= 0) dup2(stderr_fd, STDERR_FILENO);
  execv(argv[0], argv.data());
  _exit(127);
}

EngineProcess::EngineProcess() {
  const auto fds = protocol::MakeSocketPair();
  CHECK(fds.ok()) << fds.status().ToString();
  pid_ = SpawnEngine({"--fd", std::to_string(fds->second)}, fds->second);
  CHECK(pid_ > 0) << "fork failed";
  close(fds->second);
  channel_ = std::make_unique<protocol::Channel>(fds->first);
}

EngineProcess::~EngineProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  WaitStatus();
}

int EngineProcess::WaitStatus() {
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  return status;
}

protocol::Ready EngineProcess::Load(const std::string& model_dir, int max_model_len,
                                    bool enable_prefix_caching) {
  protocol::Load load;
  load.model = model_dir;
  load.served_model_name = "demo";
  load.max_model_len = max_model_len;
  load.kv_cache_bytes = int64_t{64} << 20;
  load.num_threads = 2;
  load.enable_prefix_caching = enable_prefix_caching;
  EXPECT_TRUE(channel_->Send(load).ok());
  return Next<protocol::Ready>();
}

template <typename T>
T EngineProcess::Next() {
  while (true) {
    auto message = channel_->Receive();
    if (!message.ok()) {
      ADD_FAILURE() << message.status().ToString();
      return {};
    }
    if (auto* wanted = std::get_if<T>(&*message)) {
      if constexpr (std::is_same_v<T, protocol::Accepted>) accepted_[wanted->request_id] = *wanted;
      return std::move(*wanted);
    }
    if (auto* step = std::get_if<protocol::StepOutput>(&*message)) {
      last_stats = step->stats;
    } else if (auto* failed = std::get_if<protocol::Failed>(&*message)) {
      ADD_FAILURE() << failed->message;
      return {};
    } else if (auto* refused = std::get_if<protocol::Refused>(&*message)) {
      ADD_FAILURE() << refused->message;
      return {};
    } else {
      EXPECT_TRUE(std::holds_alternative<protocol::Progress>(*message)) << message->index();
    }
  }
}

template protocol::Ready EngineProcess::Next();
template protocol::Planned EngineProcess::Next();
template protocol::Failed EngineProcess::Next();
template protocol::Accepted EngineProcess::Next();
template protocol::Refused EngineProcess::Next();
template protocol::StepOutput EngineProcess::Next();

Answer EngineProcess::Ask(const protocol::Generate& generate) {
  EXPECT_TRUE(channel_->Send(generate).ok());
  std::vector<Answer> answers = Collect(1);
  return answers.empty() ? Answer{} : answers.front();
}

std::vector<Answer> EngineProcess::Collect(size_t requests) {
  std::map<uint64_t, Answer> answers;
  size_t num_finished = 0;
  while (num_finished < requests) {
    auto message = channel_->Receive();
    if (!message.ok()) {
      ADD_FAILURE() << message.status().ToString();
      break;
    }
    if (const auto* accepted = std::get_if<protocol::Accepted>(&*message)) {
      accepted_[accepted->request_id] = *accepted;
      continue;
    }
    const auto* step = std::get_if<protocol::StepOutput>(&*message);
    if (step == nullptr) {
      ADD_FAILURE() << "unexpected frame " << message->index();
      break;
    }
    last_stats = step->stats;
    num_queries += step->stats.prefix_cache_queries;
    num_hits += step->stats.prefix_cache_hits;
    for (const auto& delta : step->deltas) {
      Answer& answer = answers[delta.request_id];
      EXPECT_TRUE(accepted_.contains(delta.request_id)) << "Accepted comes first";
      EXPECT_EQ(answer.finished.request_id, 0u) << "a delta after the end";
      if (answer.token_ids.empty()) answer.num_cached_tokens = delta.num_cached_tokens;
      answer.text += delta.text;
      answer.token_ids.insert(answer.token_ids.end(), delta.token_ids.begin(),
                              delta.token_ids.end());
    }
    for (const auto& finished : step->finished) answers[finished.request_id].finished = finished;
    num_finished += step->finished.size();
  }
  std::vector<Answer> in_order;
  for (auto& [id, answer] : answers) {
    answer.accepted = accepted_[id];
    in_order.push_back(std::move(answer));
  }
  return in_order;
}

void EngineProcess::ExpectPoolToEmpty() {
  while (last_stats.num_blocks_used > 0) {
    const auto step = Next<protocol::StepOutput>();
    if (step.stats.step == 0) return;  // Next has reported why
    last_stats = step.stats;
  }
  EXPECT_EQ(last_stats.num_requests_running, 0);
}

}  // namespace hearth::engine
