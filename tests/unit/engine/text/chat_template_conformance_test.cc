// Byte for byte what Python's jinja2 renders: the templates of served models over the conversations
// of data/conversations.json, and the corners of the language in data/jinja_language.json. Skipped
// where python3-jinja2 is not installed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/text/chat_template.h"
#include "engine/text/tokenizer_json.h"

namespace hearth::engine {
namespace {

constexpr char kTemplateDir[] = "../shared/conformance/chat_templates/";
constexpr char kTestDir[] = "tests/unit/engine/text/";

struct Case {
  std::string name;
  std::string source;
  Json context;
};

bool HasJinja() { return std::system("/usr/bin/python3 -c 'import jinja2' 2>/dev/null") == 0; }

Json ReadData(const std::string& name) {
  const Result<std::string> text = ReadModelFile(kTestDir + ("data/" + name), 1 << 20);
  CHECK(text.ok()) << text.status().ToString();
  Result<Json> json = ParseJson(*text);
  CHECK(json.ok()) << name << ": " << json.status().ToString();
  return *std::move(json);
}

// What jinja_reference.py answers for each case.
Json AskReference(const std::vector<Case>& cases) {
  Json requests = Json::array();
  for (const Case& c : cases) {
    Json request = Json::object();
    request["template"] = c.source;
    request["context"] = c.context;
    requests.push_back(std::move(request));
  }
  const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
  std::string path = testing::TempDir() + "hearth_jinja_" + test;
  std::replace(path.begin() + static_cast<ptrdiff_t>(testing::TempDir().size()), path.end(), '/',
               '_');
  std::ofstream(path) << DumpJson(requests);
  const std::string command =
      std::string("/usr/bin/python3 ") + kTestDir + "jinja_reference.py < '" + path + "'";
  FILE* pipe = popen(command.c_str(), "r");
  std::string answer;
  for (int c; (c = std::fgetc(pipe)) != EOF;) answer.push_back(static_cast<char>(c));
  EXPECT_EQ(pclose(pipe), 0);
  std::filesystem::remove(path);
  Result<Json> parsed = ParseJson(answer);
  EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
  return parsed.ok() ? *parsed : Json::array();
}

Result<std::string> RenderOurs(const Case& c) {
  HEARTH_ASSIGN_OR_RETURN(const ChatTemplate chat_template, ChatTemplate::Parse(c.source));
  HEARTH_ASSIGN_OR_RETURN(const std::vector<Segment> segments, chat_template.Render(c.context));
  std::string text;
  for (const Segment& segment : segments) text += segment.text;
  return text;
}

// What jinja2 refuses has to be refused, everything else has to come out the same.
void ExpectSame(const std::vector<Case>& cases) {
  const Json expected = AskReference(cases);
  ASSERT_EQ(expected.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const Result<std::string> ours = RenderOurs(cases[i]);
    if (expected[i].contains("error")) {
      EXPECT_FALSE(ours.ok()) << cases[i].name << "\njinja2 refuses: " << expected[i]["error"]
                              << "\nwe render: " << *ours;
    } else if (ours.ok()) {
      EXPECT_EQ(*ours, expected[i]["text"].get<std::string>()) << cases[i].name;
    } else {
      ADD_FAILURE() << cases[i].name << "\njinja2 renders: " << expected[i]["text"]
                    << "\nwe refuse: " << ours.status().ToString();
    }
  }
}

class TemplateOfModel : public testing::TestWithParam<std::string> {};

TEST_P(TemplateOfModel, RendersAsJinja2) {
  const std::string path = kTemplateDir + GetParam() + ".jinja";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not on this machine";
  if (!HasJinja()) GTEST_SKIP() << "python3-jinja2 is not installed";
  const Result<std::string> source = ReadModelFile(path, 1 << 20);
  ASSERT_TRUE(source.ok());
  std::vector<Case> cases;
  const Json conversations = ReadData("conversations.json");
  for (const auto& [name, variables] : conversations.items()) {
    Json context = variables;
    context.emplace("bos_token", "<s>");
    context.emplace("eos_token", "</s>");
    context.emplace("tools", nullptr);
    context.emplace("add_generation_prompt", true);
    // Otherwise templates ask for today's date, in which the two could differ at midnight.
    context.emplace("date_string", "26 Jul 2024");
    cases.push_back({GetParam() + ", " + name, *source, context});
  }
  ExpectSame(cases);
}

INSTANTIATE_TEST_SUITE_P(
    Models, TemplateOfModel,
    testing::Values("HuggingFaceTB-SmolLM3-3B", "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
                    "Qwen-Qwen2.5-7B-Instruct", "Qwen-Qwen3-0.6B",
                    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "google-gemma-2-2b-it",
                    "meta-llama-Llama-3.1-8B-Instruct", "meta-llama-Llama-3.2-3B-Instruct",
                    "microsoft-Phi-3.5-mini-instruct", "mistralai-Mistral-Nemo-Instruct-2407"),
    [](const auto& test) {
      std::string name = test.param;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
      return name;
    });

TEST(TemplateLanguage, RendersAsJinja2) {
  if (!HasJinja()) GTEST_SKIP() << "python3-jinja2 is not installed";
  const Json data = ReadData("jinja_language.json");
  std::vector<Case> cases;
  for (const auto& [group, sources] : data["templates"].items()) {
    for (const Json& source : sources) {
      cases.push_back({group + ": " + source.get<std::string>(), source, data["context"]});
    }
  }
  ExpectSame(cases);
}

}  // namespace
}  // namespace hearth::engine
