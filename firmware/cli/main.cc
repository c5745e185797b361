// hearth: looks after a box from its command line.
#include <signal.h>

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "firmware/cli/command.h"

namespace hearth::cli {
namespace {

// Nobody may take half a document on a full disk for a whole one.
Status FlushOutput() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return Status::Ok();
  return ErrnoStatus("cannot write to standard output", errno);
}

int Main(int argc, char** argv) {
  Invocation invocation;
  const auto app = MakeHearth(invocation);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_answer = app->exit(error) == 0;  // --help, --version; prints
    return is_answer ? 0 : ExitCodeOf(InvalidArgument(""));
  }

  signal(SIGPIPE, SIG_IGN);
  SetLogLevel(LogLevel::kError);  // the parts of hearthd talk to its log
  Status status = invocation.action();
  if (const Status flushed = FlushOutput(); status.ok()) status = flushed;
  if (!status.ok()) std::fprintf(stderr, "hearth: %s\n", status.message().c_str());
  return ExitCodeOf(status);
}

}  // namespace

int ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return 0;
    case StatusCode::kInvalidArgument:
      return 2;
    case StatusCode::kNotFound:
      return 3;
    case StatusCode::kUnavailable:
    case StatusCode::kResourceExhausted:
    case StatusCode::kDeadlineExceeded:
      return 4;
    case StatusCode::kAborted:
      return 130;  // as shells say of Ctrl-C
    default:
      return 1;
  }
}

}  // namespace hearth::cli

int main(int argc, char** argv) { return hearth::cli::Main(argc, argv); }
