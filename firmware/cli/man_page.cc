#include "firmware/cli/man_page.h"

#include "base/version.h"
#include "firmware/cli/command_tree.h"

namespace hearth::cli {
namespace {

// Text that groff prints as it stands.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";  // a minus sign, which can be copied into a shell
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      default:
        escaped += c;
    }
  }
  return escaped.starts_with('.') ? "\\&" + escaped : escaped;
}

// A sentence of the help: it begins with a capital letter and ends with a full stop.
std::string Sentence(std::string text) {
  if (text.empty()) return "";
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  if (!text.ends_with('.')) text += '.';
  return Escaped(text) + "\n";
}

std::string ArgumentText(const CLI::Option& argument) {
  const std::string choices = ValueNameOf(argument);
  std::string name = ChoicesOf(argument).empty() ? argument.get_name() : choices;
  name = "\\fI" + Escaped(name) + "\\fR";
  if (argument.get_items_expected_max() > 1) name += " ...";
  return argument.get_required() ? name : "[" + name + "]";
}

std::string OptionText(const CLI::Option& option) {
  std::string text = ".TP\n";
  std::string names;
  for (const std::string& name : NamesOf(option)) {
    names += (names.empty() ? "" : ", ") + ("\\fB" + Escaped(name)) + "\\fR";
  }
  text += names;
  if (const std::string value = ValueNameOf(option); !value.empty()) {
    text += " \\fI" + Escaped(value) + "\\fR";
  }
  std::string help = option.get_description();
  const std::string usual = option.get_default_str();
  if (!usual.empty() && usual != "\"\"") help += "; " + usual + " when absent";
  return text + "\n" + Sentence(help);
}

std::string CommandText(const CLI::App& command) {
  std::string text;
  const auto below = CommandsOf(command);
  if (below.empty()) {
    text += ".SS \"" + Escaped(FullName(command)) + "\"\n.B " + Escaped(FullName(command)) + "\n";
    for (const CLI::Option* argument : ArgumentsOf(command)) text += ArgumentText(*argument) + "\n";
    text += ".PP\n" + Sentence(command.get_description());
    for (const CLI::Option* argument : ArgumentsOf(command)) {
      if (argument->get_description().empty()) continue;
      text += ".TP\n\\fI" + Escaped(argument->get_name()) + "\\fR\n" +
              Sentence(argument->get_description());
    }
    for (const CLI::Option* option : OptionsOf(command)) {
      if (option->get_lnames() == std::vector<std::string>{"help"}) continue;
      text += OptionText(*option);
    }
  }
  for (const CLI::App* sub : below) text += CommandText(*sub);
  return text;
}

std::string Overview(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : CommandsOf(app)) {
    text += ".TP\n\\fB" + Escaped(command->get_name()) + "\\fR\n" +
            Sentence(command->get_description());
  }
  return text;
}

constexpr const char* kAfter = R"(.SH "EXIT STATUS"
.TP
.B 0
Done; of \fBstatus\fR and \fBdoctor\fR, all is well.
.TP
.B 1
Refused, not taken, or a problem was found.
.TP
.B 2
What was asked for is wrong and stays wrong.
.TP
.B 3
What was named is not there.
.TP
.B 4
The box does not answer, or something does not serve; perhaps later.
.TP
.B 130
Interrupted by Ctrl\-C.
.SH FILES
.TP
.I /etc/hearth/hearth.yaml
The configuration of the box, with \fI/etc/hearth/conf.d/*.yaml\fR; \fBdoctor\fR reads it when no
box answers.
.TP
.I /var/lib/hearth
The usual state directory: history, model configuration, models.
.SH EXAMPLES
.TP
.B hearth pull Qwen/Qwen2.5\-0.5B\-Instruct
Downloads a model; Ctrl\-C leaves the box to go on with it.
.TP
.B hearth models
Which models serve, how many replicas of each, and what they hold.
.TP
.B echo \(aqWhat is TTFT?\(aq | hearth chat
One answer.
.TP
.B hearth bench \-\-concurrency 8 \-\-requests 64
How fast the box answers eight at a time.
.TP
.B hearth bench \-\-rate 4 \-\-requests 120 \-\-json
How it answers four a second, whether it keeps up or not.
.TP
.B hearth logs \-f hearth\-demo
What the engine says, until Ctrl\-C.
.TP
.B hearth doctor
What is wrong with this machine and what to do about it.
.TP
.B source <(hearth completion bash)
Completion in this shell.
.SH "SEE ALSO"
.BR curl (1),
.BR systemctl (1),
.BR journalctl (1)
)";

}  // namespace

std::string ManPage(const CLI::App& app) {
  const std::string version(kVersion);
  std::string text = ".TH HEARTH 1 \"\" \"Hearth " + version + "\" \"User Commands\"\n";
  text += ".SH NAME\nhearth \\- looks after a Hearth appliance from its command line\n";
  text += ".SH SYNOPSIS\n.B hearth\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n";
  text += ".SH DESCRIPTION\n.B hearth\nasks a running\n.B hearthd\nover its HTTP interface, by default "
          "the one on this machine.\nResults go to standard output, progress and errors to standard "
          "error.\nWith \\fB\\-\\-json\\fR each command prints one JSON document, and what streams "
          "one document a line.\n";
  text += Overview(app);
  text += ".SH OPTIONS\nThey may stand before or after a command.\n";
  for (const CLI::Option* option : OptionsOf(app)) text += OptionText(*option);
  text += ".SH COMMANDS\n";
  for (const CLI::App* command : CommandsOf(app)) text += CommandText(*command);
  return text + kAfter;
}

}  // namespace hearth::cli
