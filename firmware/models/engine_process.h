// One hearth-engine child process and the channel to it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/protocol/channel.h"

namespace hearth::models {

// Must be started, waited for and destroyed by one thread that outlives the child: the kernel ends the
// child when its parent thread ends (PR_SET_PDEATHSIG), so that no engine survives a killed hearthd.
class EngineProcess {
 public:
  // executable: path of hearth-engine. The child inherits one descriptor, stderr, and of the environment
  // only what concerns the device and the sanitizers: no secret of ours reaches it.
  static Result<std::unique_ptr<EngineProcess>> Start(const std::string& executable);

  ~EngineProcess();  // kills a child that still runs, and reaps it
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  protocol::Channel& channel() { return channel_; }
  pid_t pid() const { return pid_; }

  // Waits for the end, at most timeout_s, then kills. Says how it ended: "exited with status 1",
  // "was killed by signal 9 (Killed)".
  std::string Wait(double timeout_s);

 private:
  EngineProcess(pid_t pid, int fd) : pid_(pid), channel_(fd) {}

  pid_t pid_;  // -1 once reaped
  protocol::Channel channel_;
};

}  // namespace hearth::models
