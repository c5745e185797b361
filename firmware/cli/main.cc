// hearth: looks after a box from its command line.
#include <signal.h>

#include <cstdio>

#include "base/log.h"
#include "base/version.h"
#include "firmware/cli/command.h"

namespace hearth::cli {

namespace {

constexpr AddCommands kBranches[] = {AddConfigCommands, AddHistoryCommands};

int Main(int argc, char** argv) {
  CLI::App app("hearth: looks after a Hearth appliance from its command line.", "hearth");
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  app.fallthrough();  // the options below may stand after the subcommand
  Invocation invocation;
  app.add_option("--url", invocation.url,
                 "a hearthd, e.g. http://127.0.0.1:8080; asked first when nothing is named");
  app.add_option("--state", invocation.state,
                 "the state directory of a hearthd, running or not; its files are only read");
  app.add_flag("--json", invocation.json, "print JSON");
  for (const AddCommands add : kBranches) add(app, invocation);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_answer = app.exit(error) == 0;  // --help, --version; prints
    return is_answer ? 0 : ExitCodeOf(InvalidArgument(""));
  }

  signal(SIGPIPE, SIG_IGN);
  SetLogLevel(LogLevel::kError);  // the parts of hearthd talk to its log
  const Status status = invocation.action();
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
    default:
      return 1;
  }
}

}  // namespace hearth::cli

int main(int argc, char** argv) { return hearth::cli::Main(argc, argv); }
