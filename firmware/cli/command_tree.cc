#include "firmware/cli/command_tree.h"

#include <cctype>
#include <sstream>

namespace hearth::cli {

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::vector<const CLI::Option*> OptionsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

std::vector<const CLI::Option*> ArgumentsOf(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& letter : option.get_snames()) names.push_back("-" + letter);
  for (const std::string& word : option.get_lnames()) names.push_back("--" + word);
  return names;
}

std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  // CLI::IsMember describes itself as "{csv,openmetrics}", which is part of the type's name.
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::vector<std::string> choices;
  std::istringstream words(type.substr(open + 1, close - open - 1));
  for (std::string word; std::getline(words, word, ',');) choices.push_back(word);
  return choices;
}

std::string ValueNameOf(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return "";
  std::string name;
  for (const std::string& choice : ChoicesOf(option)) name += (name.empty() ? "" : "|") + choice;
  if (!name.empty()) return name;
  name = option.get_type_name();
  name = name.substr(0, name.find(':'));        // without what a check says of itself
  name = name.substr(0, name.find(" in ["));    // and a range
  if (name.starts_with("INT") || name.starts_with("UINT") || name.starts_with("FLOAT")) return "N";
  return name.empty() ? "TEXT" : name;
}

std::string FullName(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return parent == nullptr ? app.get_name() : FullName(*parent) + " " + app.get_name();
}

}  // namespace hearth::cli
