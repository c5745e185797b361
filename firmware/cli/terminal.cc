#include "firmware/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace hearth::cli {
namespace {

std::atomic<bool> interrupted{false};

void OnInterrupt(int) { interrupted = true; }

}  // namespace

size_t TerminalColumns() {
  if (!IsTerminal(STDERR_FILENO)) return 0;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void Print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintJson(const Json& document) {
  Print(DumpJson(document) + "\n");
  std::fflush(stdout);
}

void Tell(const std::string& text) {
  std::fflush(stdout);  // what was printed before is read before
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string Harmless(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c0 = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() &&
                       static_cast<unsigned char>(text[i + 1]) < 0xa0;  // U+0080 to U+009F
    if (is_c1) ++i;
    if (!is_c0 && !is_c1) safe += text[i];
  }
  return safe;
}

bool IsTerminal(int descriptor) { return ::isatty(descriptor) == 1; }

Interrupts::Interrupts() {
  interrupted = false;
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  sigemptyset(&action.sa_mask);  // and no SA_RESTART: a read() that waits shall end
  ::sigaction(SIGINT, &action, &before_);
}

Interrupts::~Interrupts() { ::sigaction(SIGINT, &before_, nullptr); }

const std::atomic<bool>* Interrupts::flag() const { return &interrupted; }

void Interrupts::Forget() { interrupted = false; }

ProgressLine::ProgressLine(bool silent) : silent_(silent), live_(IsTerminal(STDERR_FILENO)) {}

void ProgressLine::Show(const std::string& step, const std::string& text) {
  if (silent_) return;
  if (live_) {
    // A line that wraps could not be taken back.
    Tell("\r" + text.substr(0, TerminalColumns() - 1) + "\033[K");
    shown_ = true;
  } else if (step != step_) {
    Tell(text + "\n");
  }
  step_ = step;
}

void ProgressLine::Clear() {
  if (!shown_) return;
  Tell("\r\033[K");
  shown_ = false;
}

}  // namespace hearth::cli
