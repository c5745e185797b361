// The tree of commands as whoever describes it sees it: the completion and the manual page.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace hearth::cli {

// The subcommands that people are told of, in their order.
std::vector<const CLI::App*> CommandsOf(const CLI::App& app);

// Its options, the --help of each command included; and its positional arguments.
std::vector<const CLI::Option*> OptionsOf(const CLI::App& app);
std::vector<const CLI::Option*> ArgumentsOf(const CLI::App& app);

// "-f" and "--follow" of an option.
std::vector<std::string> NamesOf(const CLI::Option& option);

// What stands for its value: "FILE", "csv|openmetrics" where only those are taken, "" for a flag.
std::string ValueNameOf(const CLI::Option& option);
// Those that are taken, when they are named.
std::vector<std::string> ChoicesOf(const CLI::Option& option);

// "hearth config get".
std::string FullName(const CLI::App& app);

}  // namespace hearth::cli
