// The tree of commands, in the order in which --help shows it.
#include "base/version.h"
#include "firmware/cli/command.h"

namespace hearth::cli {
namespace {

constexpr AddCommands kBranches[] = {
    AddStatusCommands, AddModelsCommands, AddChatCommand,    AddLibraryCommands, AddInspectCommand,
    AddConfigCommands, AddHistoryCommands, AddBenchCommand, AddDoctorCommand,   AddShellCommands};

}  // namespace

std::unique_ptr<CLI::App> MakeHearth(Invocation& invocation) {
  auto app = std::make_unique<CLI::App>(
      "hearth: looks after a Hearth appliance from its command line.", "hearth");
  app->set_version_flag("--version", std::string(kVersion), "print the version");
  app->require_subcommand(1);
  app->fallthrough();  // the options below may stand after the subcommand
  app->add_option("--url", invocation.url,
                  "a hearthd, e.g. http://127.0.0.1:8080; asked first when nothing is named")
      ->type_name("URL");
  app->add_option("--state", invocation.state,
                  "the state directory of a hearthd, running or not; its files are only read")
      ->type_name("DIRECTORY");
  app->add_flag("--json", invocation.json, "print JSON");
  for (const AddCommands add : kBranches) add(*app, invocation);
  return app;
}

}  // namespace hearth::cli
