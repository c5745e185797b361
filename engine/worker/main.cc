// hearth-engine --fd N [--pulse M]: one replica of one model, started by hearthd.
#include <execinfo.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "engine/protocol/pulse.h"
#include "engine/worker/worker.h"

namespace {

constexpr int kUsageExitStatus = 2;
constexpr const char* kUsage =
    "hearth-engine is started by hearthd, which hands it a connected socket and the page it shows its\n"
    "progress in: hearth-engine --fd N --pulse M\n"
    "It has no use on its own. To serve a model, start hearthd.\n";

// The descriptor that follows `flag`, or nothing when there is none.
std::optional<int> ParseDescriptor(int argc, char** argv, const char* flag) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], flag) != 0) continue;
    const std::string_view text = argv[i + 1];
    int fd = -1;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), fd);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return fd;
  }
  return std::nullopt;
}

// The inherited socket of `--fd N`, or nothing when there is none.
std::optional<int> ParseSocket(int argc, char** argv) {
  const std::optional<int> fd = ParseDescriptor(argc, argv, "--fd");
  int type = 0;
  socklen_t size = sizeof type;
  if (argc % 2 == 0 || !fd || getsockopt(*fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_STREAM) {
    return std::nullopt;
  }
  return fd;
}

// On SIGUSR2, which hearthd sends an engine that stands still before it kills it. The kernel gives it
// to the main thread, which is the one that computes.
void WriteStack(int) {
  void* frames[64];
  const int count = backtrace(frames, static_cast<int>(std::size(frames)));
  backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

void InstallStackWriter() {
  void* frame = nullptr;
  backtrace(&frame, 1);  // loads what it needs, which a signal handler must not
  struct sigaction action {};
  action.sa_handler = WriteStack;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR2, &action, nullptr);
}

// The page of `--pulse M`; one that nobody watches without it. Null when M is none.
std::unique_ptr<hearth::protocol::Pulse> OpenPulse(int argc, char** argv) {
  const std::optional<int> fd = ParseDescriptor(argc, argv, "--pulse");
  if (!fd) return std::make_unique<hearth::protocol::Pulse>();
  auto pulse = hearth::protocol::Pulse::Open(*fd);
  if (!pulse.ok()) LOG(kError) << pulse.status().message();
  return pulse.ok() ? std::move(pulse).value() : nullptr;
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
  InstallStackWriter();
  hearth::SetLogTag("engine");
  auto pulse = OpenPulse(argc, argv);
  if (pulse == nullptr) return kUsageExitStatus;
  return hearth::engine::Worker(*fd, std::move(pulse)).Run();
}
