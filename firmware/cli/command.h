// The `hearth` command: a tree of subcommands. Each *_commands.cc adds a branch of it and is named
// once in main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/status.h"

namespace hearth::cli {

// What every subcommand is told, and what it is asked to do.
struct Invocation {
  std::string url;    // of a hearthd; empty: not given
  std::string state;  // its state directory; empty: not given
  bool json = false;
  std::function<Status()> action;  // set by the subcommand that was chosen; prints to stdout
};

using AddCommands = void (*)(CLI::App& hearth, Invocation& invocation);

void AddConfigCommands(CLI::App& hearth, Invocation& invocation);
void AddHistoryCommands(CLI::App& hearth, Invocation& invocation);

// 0, 2 for what the caller got wrong, 3 for what is not there, 4 for what may work later, 1 else.
int ExitCodeOf(const Status& status);

}  // namespace hearth::cli
