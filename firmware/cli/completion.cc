#include "firmware/cli/completion.h"

#include <functional>

#include "firmware/cli/command_tree.h"

namespace hearth::cli {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

template <typename List>
std::string Joined(const List& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Where the words come from that stand for a value of that name: of files here, of models there.
std::string SourcesOf(const std::string& value_name) {
  std::vector<std::string> sources;
  const auto has = [&](const char* part) { return value_name.find(part) != std::string::npos; };
  if (value_name == "NAME" || value_name.starts_with("NAME|")) sources.push_back("served");
  if (value_name == "ID" || has("|ID")) sources.push_back("library");
  if (has("FILE") || has("DIRECTORY") || value_name == "PATH") sources.push_back("files");
  return Joined(sources);
}

void ForEach(const CLI::App& app, const std::function<void(const CLI::App&)>& visit) {
  visit(app);
  for (const CLI::App* command : CommandsOf(app)) ForEach(*command, visit);
}

// "hearth config get": the words that lead to a command.
std::string StepLines(const CLI::App& app) {
  std::string lines;
  ForEach(app, [&](const CLI::App& command) {
    if (command.get_parent() == nullptr) return;
    lines += "      " + Quoted(FullName(command)) + ") path=" + Quoted(FullName(command)) + " ;;\n";
  });
  return lines;
}

std::string ValueLines(const CLI::App& app) {
  std::string lines;
  ForEach(app, [&](const CLI::App& command) {
    for (const CLI::Option* option : OptionsOf(command)) {
      if (ValueNameOf(*option).empty()) continue;
      // The tree's own options may stand after every command.
      const std::string path = command.get_parent() == nullptr ? "*" : Quoted(FullName(command));
      std::string patterns;
      for (const std::string& name : NamesOf(*option)) {
        patterns += (patterns.empty() ? "" : "|") + path + Quoted(":" + name);
      }
      lines += "    " + patterns + ") words=" + Quoted(Joined(ChoicesOf(*option))) +
               " sources=" + Quoted(SourcesOf(ValueNameOf(*option))) + " ;;\n";
    }
  });
  return lines;
}

std::string CommandLines(const CLI::App& app) {
  std::string lines;
  ForEach(app, [&](const CLI::App& command) {
    std::vector<std::string> words;
    for (const CLI::App* sub : CommandsOf(command)) words.push_back(sub->get_name());
    std::vector<std::string> options;
    for (const CLI::Option* option : OptionsOf(command)) {
      for (const std::string& name : NamesOf(*option)) options.push_back(name);
    }
    std::string sources;
    for (const CLI::Option* argument : ArgumentsOf(command)) {
      for (const std::string& choice : ChoicesOf(*argument)) words.push_back(choice);
      if (sources.empty()) sources = SourcesOf(argument->get_name());
    }
    lines += "      " + Quoted(FullName(command)) + ")\n        words=" + Quoted(Joined(words)) +
             " sources=" + Quoted(sources) + "\n        options=" + Quoted(Joined(options)) +
             " ;;\n";
  });
  return lines;
}

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  std::string roots;
  for (const CLI::Option* option : OptionsOf(app)) roots += " " + Joined(NamesOf(*option));
  return R"sh(# Completion of hearth for bash, made by 'hearth completion bash'.

# Names that a running box knows; none when it does not answer.
_hearth_names() {
  local url=()
  [[ $COMP_LINE =~ --url[=\ ]+([^ ]+) ]] && url=(--url "${BASH_REMATCH[1]}")
  "${COMP_WORDS[0]}" "${url[@]}" names "$1" 2>/dev/null
}

_hearth() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local path=hearth words= options= sources=none source i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
)sh" + StepLines(app) +
         R"sh(    esac
  done
  case "$path:$before" in
)sh" + ValueLines(app) +
         R"sh(    *) sources= ;;
  esac
  if [[ -z $sources && -z $words ]]; then
    case "$path" in
)sh" + CommandLines(app) +
         "    esac\n    options+=" + Quoted(roots) + R"sh(
  fi
  COMPREPLY=()
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  for source in $sources; do
    case $source in
      files) COMPREPLY+=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null ;;
      served|library) COMPREPLY+=($(compgen -W "$(_hearth_names "$source")" -- "$current")) ;;
    esac
  done
}

complete -F _hearth hearth
)sh";
}

}  // namespace hearth::cli
