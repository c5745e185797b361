// hearth-engine --fd N: one replica of one model, started by hearthd.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/log.h"
#include "engine/worker/worker.h"

namespace {

constexpr int kUsageExitStatus = 2;
constexpr const char* kUsage =
    "hearth-engine is started by hearthd, which hands it a connected socket: hearth-engine --fd N\n"
    "It has no use on its own. To serve a model, start hearthd.\n";

// The inherited socket of `--fd N`, or nothing when there is none.
std::optional<int> ParseSocket(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--fd") != 0) return std::nullopt;
  const std::string_view text = argv[2];
  int fd = -1;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) {
    return std::nullopt;
  }
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<int> fd = ParseSocket(argc, argv);
  if (!fd) {
    std::fputs(kUsage, stderr);
    return kUsageExitStatus;
  }
  fcntl(*fd, F_SETFD, FD_CLOEXEC);
  // Dies with the thread of hearthd that started it. If hearthd died before this line, the socket
  // is closed and the first Receive says so.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Prompts and weights are in this memory: no core dump, no ptrace by the same user.
  prctl(PR_SET_DUMPABLE, 0);
  // Ctrl-C at a terminal reaches the whole group; hearthd drains and then says Shutdown.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  hearth::SetLogTag("engine");
  return hearth::engine::Worker(*fd).Run();
}
