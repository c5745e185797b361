// What stands on hearthd's command line: settings of the box, each under a flag of its own, and the
// models to serve in vLLM's spelling, which become a model configuration like any other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "firmware/config/box_config.h"

namespace hearth {

struct CommandLine {
  std::optional<int> exit_status;  // set: --help or --version was answered, there is nothing to do
  std::string config_file;         // --config; empty: the default, which may be absent
  std::vector<config::GivenText> settings;
  std::string models;  // a model configuration as YAML; empty: no --model was given
  std::vector<config::PlacedProblem> problems;
};

CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace hearth
