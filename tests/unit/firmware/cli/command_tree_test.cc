#include "firmware/cli/command_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "firmware/cli/command.h"
#include "firmware/cli/completion.h"
#include "firmware/cli/man_page.h"

namespace hearth::cli {
namespace {

class TreeTest : public testing::Test {
 protected:
  void ForEach(const CLI::App& app, const std::function<void(const CLI::App&)>& visit) {
    visit(app);
    for (const CLI::App* command : CommandsOf(app)) ForEach(*command, visit);
  }

  Invocation invocation_;
  const std::unique_ptr<CLI::App> app_ = MakeHearth(invocation_);
};

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// As groff is told it.
std::string InMan(std::string text) {
  for (size_t at = 0; (at = text.find('-', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

TEST_F(TreeTest, HoldsTheCommandsOfTheAppliance) {
  std::vector<std::string> names;
  for (const CLI::App* command : CommandsOf(*app_)) names.push_back(command->get_name());
  for (const char* name :
       {"status", "models", "load", "unload", "logs", "chat", "library", "pull", "import", "verify",
        "rm", "inspect", "config", "history", "bench", "doctor", "completion", "man"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  EXPECT_EQ(std::count(names.begin(), names.end(), "names"), 0) << "only the completion asks it";
}

TEST_F(TreeTest, EveryCommandAndOptionIsDescribed) {
  ForEach(*app_, [&](const CLI::App& command) {
    EXPECT_NE(command.get_description(), "") << FullName(command);
    for (const CLI::Option* option : OptionsOf(command)) {
      const bool says_itself = !ChoicesOf(*option).empty() || !option->get_default_str().empty();
      EXPECT_TRUE(says_itself || !option->get_description().empty())
          << FullName(command) << " " << NamesOf(*option)[0];
    }
  });
}

TEST_F(TreeTest, TheCompletionKnowsEveryCommandAndOption) {
  const std::string script = BashCompletion(*app_);
  int64_t options = 0;
  ForEach(*app_, [&](const CLI::App& command) {
    const size_t at = script.find("      '" + FullName(command) + "')\n");
    ASSERT_NE(at, std::string::npos) << FullName(command);
    const std::string entry = script.substr(at, script.find(";;", at) - at);
    for (const CLI::App* sub : CommandsOf(command)) {
      EXPECT_TRUE(Has(entry, sub->get_name())) << FullName(*sub);
    }
    for (const CLI::Option* option : OptionsOf(command)) {
      for (const std::string& name : NamesOf(*option)) {
        EXPECT_TRUE(Has(entry, name)) << FullName(command) << " " << name;
        ++options;
      }
    }
  });
  EXPECT_GT(options, 80) << "the walk saw the tree";
}

TEST_F(TreeTest, TheManualPageKnowsEveryCommandAndOption) {
  const std::string page = ManPage(*app_);
  ForEach(*app_, [&](const CLI::App& command) {
    if (!CommandsOf(command).empty()) return;
    const size_t at = page.find(".SS \"" + InMan(FullName(command)) + "\"\n");
    ASSERT_NE(at, std::string::npos) << FullName(command);
    const std::string section = page.substr(at, page.find("\n.S", at + 1) - at);
    for (const CLI::Option* argument : ArgumentsOf(command)) {
      const std::string name =
          ChoicesOf(*argument).empty() ? argument->get_name() : ValueNameOf(*argument);
      EXPECT_TRUE(Has(section, InMan(name))) << FullName(command) << " " << name;
    }
    for (const CLI::Option* option : OptionsOf(command)) {
      if (option->get_lnames() == std::vector<std::string>{"help"}) continue;
      for (const std::string& name : NamesOf(*option)) {
        EXPECT_TRUE(Has(section, "\\fB" + InMan(name) + "\\fR")) << FullName(command) << " " << name;
      }
    }
  });
  for (const CLI::Option* option : OptionsOf(*app_)) {
    EXPECT_TRUE(Has(page, "\\fB" + InMan(NamesOf(*option).back()) + "\\fR"));
  }
}

TEST_F(TreeTest, ValuesHaveNames) {
  const CLI::App* const history = app_->get_subcommand("history")->get_subcommand("export");
  const CLI::Option* const format = history->get_option("--format");
  EXPECT_EQ(ChoicesOf(*format), (std::vector<std::string>{"csv", "openmetrics"}));
  EXPECT_EQ(ValueNameOf(*format), "csv|openmetrics");
  EXPECT_EQ(ValueNameOf(*app_->get_subcommand("bench")->get_option("--requests")), "N");
  EXPECT_EQ(ValueNameOf(*app_->get_subcommand("chat")->get_option("--seed")), "N");
  EXPECT_EQ(ValueNameOf(*app_->get_option("--json")), "");
  EXPECT_EQ(ValueNameOf(*app_->get_option("--url")), "URL");
}

}  // namespace
}  // namespace hearth::cli
