// The `hearth` command: a tree of subcommands. Each *_commands.cc adds a branch of it and is named
// once in main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"

namespace hearth::cli {

// What every subcommand is told, and what it is asked to do.
struct Invocation {
  std::string url;    // of a hearthd; empty: not given
  std::string state;  // its state directory; empty: not given
  bool json = false;
  std::function<Status()> action;  // set by the subcommand that was chosen; prints to stdout
};

// A subcommand of `parent` whose action is `run`.
template <typename Run>
CLI::App* AddCommand(CLI::App& parent, Invocation& invocation, const std::string& name,
                     const std::string& help, Run run) {
  CLI::App* const command = parent.add_subcommand(name, help);
  command->callback([&invocation, run = std::move(run)] { invocation.action = run; });
  return command;
}

// Adds a branch to the tree; what its commands are told lives in the invocation's actions.
using AddCommands = void (*)(CLI::App& hearth, Invocation& invocation);

void AddStatusCommands(CLI::App& hearth, Invocation& invocation);
void AddModelsCommands(CLI::App& hearth, Invocation& invocation);
void AddInspectCommand(CLI::App& hearth, Invocation& invocation);
void AddLibraryCommands(CLI::App& hearth, Invocation& invocation);
void AddChatCommand(CLI::App& hearth, Invocation& invocation);
void AddBenchCommand(CLI::App& hearth, Invocation& invocation);
void AddDoctorCommand(CLI::App& hearth, Invocation& invocation);
void AddConfigCommands(CLI::App& hearth, Invocation& invocation);
void AddHistoryCommands(CLI::App& hearth, Invocation& invocation);
void AddShellCommands(CLI::App& hearth, Invocation& invocation);

// The whole tree. `invocation` must outlive it.
std::unique_ptr<CLI::App> MakeHearth(Invocation& invocation);

// 0, 2 for what the caller got wrong, 3 for what is not there, 4 for what may work later, 130 for
// what somebody interrupted, 1 else.
int ExitCodeOf(const Status& status);

}  // namespace hearth::cli
