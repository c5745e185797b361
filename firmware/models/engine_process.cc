#include "firmware/models/engine_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "base/clock.h"

extern char** environ;

namespace hearth::models {
namespace {

// What the child finds them at: `hearth-engine --fd 3 --pulse 4`.
constexpr int kEngineFd = 3;
constexpr int kPulseFd = 4;

constexpr std::string_view kPassedOn[] = {"ASAN_OPTIONS=",  "UBSAN_OPTIONS=",  "TSAN_OPTIONS=",
                                          "LSAN_OPTIONS=",  "JOURNAL_STREAM=", "CUDA_VISIBLE_DEVICES=",
                                          "CUDA_CACHE_PATH="};

std::vector<char*> ChildEnvironment() {
  std::vector<char*> passed;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    for (const std::string_view name : kPassedOn) {
      if (std::string_view(*entry).substr(0, name.size()) == name) passed.push_back(*entry);
    }
  }
  passed.push_back(nullptr);
  return passed;
}

// Descriptors of the child, out of the way of the numbers they will have there.
class ChildFds {
 public:
  ChildFds(int channel, int pulse, int stderr_fd)
      : channel_(Above(channel)), pulse_(Above(pulse)), stderr_(Above(stderr_fd)) {}
  ~ChildFds() {
    for (const int fd : {channel_, pulse_, stderr_}) {
      if (fd >= 0) close(fd);
    }
  }
  ChildFds(const ChildFds&) = delete;
  ChildFds& operator=(const ChildFds&) = delete;

  void AddTo(posix_spawn_file_actions_t& actions) const {
    posix_spawn_file_actions_adddup2(&actions, channel_, kEngineFd);
    posix_spawn_file_actions_adddup2(&actions, pulse_, kPulseFd);
    if (stderr_ >= 0) posix_spawn_file_actions_adddup2(&actions, stderr_, STDERR_FILENO);
  }

 private:
  static int Above(int fd) { return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, kPulseFd + 1); }

  const int channel_, pulse_, stderr_;
};

EngineEnd Describe(int wait_status) {
  if (WIFEXITED(wait_status)) {
    const int exit_status = WEXITSTATUS(wait_status);
    return {"exited with status " + std::to_string(exit_status), exit_status};
  }
  const int number = WTERMSIG(wait_status);
  return {"was killed by signal " + std::to_string(number) + " (" + strsignal(number) + ")", -1};
}

}  // namespace

Result<std::unique_ptr<EngineProcess>> EngineProcess::Start(const std::string& executable,
                                                            int stderr_fd) {
  HEARTH_ASSIGN_OR_RETURN(auto pulse, protocol::Pulse::Create());
  HEARTH_ASSIGN_OR_RETURN(const auto fds, protocol::MakeSocketPair());
  std::string texts[] = {executable, "--fd", std::to_string(kEngineFd), "--pulse",
                         std::to_string(kPulseFd)};
  char* arguments[] = {texts[0].data(), texts[1].data(), texts[2].data(),
                       texts[3].data(), texts[4].data(), nullptr};
  const ChildFds child(fds.second, pulse->fd(), stderr_fd);
  auto environment = ChildEnvironment();

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  child.AddTo(actions);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int number : {SIGTERM, SIGINT, SIGPIPE, SIGHUP}) sigaddset(&defaults, number);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  // A group of its own: Ctrl-C in the terminal reaches hearthd alone, which drains before it stops us.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  pid_t pid = -1;
  const int error = posix_spawn(&pid, executable.c_str(), &actions, &attributes, arguments,
                                environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(fds.second);
  if (error != 0) {
    close(fds.first);
    return ErrnoStatus("cannot start the engine '" + executable + "'", error);
  }
  return std::unique_ptr<EngineProcess>(new EngineProcess(pid, fds.first, std::move(pulse)));
}

EngineProcess::~EngineProcess() { Wait(0); }

EngineEnd EngineProcess::Wait(double timeout_s) {
  if (pid_ < 0) return {"has ended", 0};
  const double deadline_s = MonotonicSeconds() + timeout_s;
  bool killed = false;
  int wait_status = 0;
  while (true) {
    const pid_t reaped = waitpid(pid_, &wait_status, killed ? 0 : WNOHANG);
    if (reaped == pid_) break;
    if (reaped < 0 && errno != EINTR) {
      wait_status = 0;
      break;
    }
    if (!killed && MonotonicSeconds() >= deadline_s) {
      kill(pid_, SIGKILL);
      killed = true;
    } else if (!killed) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  pid_ = -1;
  return Describe(wait_status);
}

}  // namespace hearth::models
