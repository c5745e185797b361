// hearth completion, man, names: the command about itself, for shells and packages.
#include "firmware/cli/box_client.h"
#include "firmware/cli/command.h"
#include "firmware/cli/completion.h"
#include "firmware/cli/man_page.h"
#include "firmware/cli/read_json.h"
#include "firmware/cli/terminal.h"

namespace hearth::cli {
namespace {

// What a shell completes with, a name a line.
Status PrintNames(const Invocation& invocation, const std::string& of) {
  const bool served = of == "served";
  HEARTH_ASSIGN_OR_RETURN(const Json answer,
                          BoxClient(invocation).Get(served ? "/api/models" : "/api/library"));
  for (const Json& model : ListOf(answer, "models")) {
    Print(TextOf(model, served ? "model_name" : "id") + "\n");
  }
  return Status::Ok();
}

}  // namespace

void AddShellCommands(CLI::App& hearth, Invocation& invocation) {
  const auto shell = std::make_shared<std::string>("bash");
  AddCommand(hearth, invocation, "completion",
             "prints a script that completes this command; source <(hearth completion bash)",
             [&hearth, shell] {  // bash is the only one; the option writes its name there
               Print(BashCompletion(hearth));
               return Status::Ok();
             })
      ->add_option("SHELL", *shell)
      ->check(CLI::IsMember({"bash"}));
  AddCommand(hearth, invocation, "man",
             "prints the manual page of this command; hearth man | man -l -", [&hearth] {
               Print(ManPage(hearth));
               return Status::Ok();
             });
  const auto of = std::make_shared<std::string>();
  AddCommand(hearth, invocation, "names", "for the completion",
             [&invocation, of] { return PrintNames(invocation, *of); })
      ->group("")  // not shown
      ->add_option("OF", *of)
      ->check(CLI::IsMember({"served", "library"}))
      ->required();
}

}  // namespace hearth::cli
