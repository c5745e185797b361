#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace hearth::cli {

// A script for bash that completes the commands, their options, the values that are named, files, and
// the names that a running box knows. Made of the tree, so that it cannot disagree with the command.
std::string BashCompletion(const CLI::App& app);

}  // namespace hearth::cli
