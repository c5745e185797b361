// One hearth-engine child process, the channel to it and the page it shows its progress in.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "engine/protocol/channel.h"
#include "engine/protocol/pulse.h"

namespace hearth::models {

struct EngineEnd {
  std::string how;      // "exited with status 1", "was killed by signal 9 (Killed)"
  int exit_status = -1;  // -1: it was killed
};

// Must be started, waited for and destroyed by one thread that outlives the child: the kernel ends the
// child when its parent thread ends (PR_SET_PDEATHSIG), so that no engine survives a killed hearthd.
class EngineProcess {
 public:
  // executable: path of hearth-engine. stderr_fd: what it gets as stderr; ours where that is -1. The
  // child inherits its end of the channel, the pulse, stderr, and of the environment only what concerns
  // the device and the sanitizers: no secret of ours reaches it.
  static Result<std::unique_ptr<EngineProcess>> Start(const std::string& executable,
                                                      int stderr_fd = -1);

  ~EngineProcess();  // kills a child that still runs, and reaps it
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  protocol::Channel& channel() { return channel_; }
  const protocol::Pulse& pulse() const { return *pulse_; }
  pid_t pid() const { return pid_; }

  // Waits for the end, at most timeout_s, then kills.
  EngineEnd Wait(double timeout_s);

 private:
  EngineProcess(pid_t pid, int fd, std::unique_ptr<protocol::Pulse> pulse)
      : pid_(pid), channel_(fd), pulse_(std::move(pulse)) {}

  pid_t pid_;  // -1 once reaped
  protocol::Channel channel_;
  const std::unique_ptr<protocol::Pulse> pulse_;
};

}  // namespace hearth::models
