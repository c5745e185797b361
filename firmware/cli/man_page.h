#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace hearth::cli {

// hearth(1) in the language of man(7). What commands and options there are comes from the tree.
std::string ManPage(const CLI::App& app);

}  // namespace hearth::cli
