// Wrong configurations by the hundred, made from the field tables themselves: a field that is added to
// them is tested here without a word. Each must be refused with a sentence, a path, a place and a value.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "firmware/config/document.h"
#include "firmware/config/model_config.h"

namespace hearth::config {
namespace {

using namespace std::string_literals;

struct Mutation {
  std::string path;         // within the LLMConfig: "engine_kwargs.max_num_seqs"
  Json value;               // what is written there
  std::string error_path;   // where the error is expected
  std::string nearest = {};  // of an unknown key
  std::string reason = {};   // words the message must have
  bool is_secret = false;    // the value may not be shown
};

Json PlainConfig() {
  return Json{{"model_loading_config", Json{{"model_id", "m"}, {"model_source", "/models/m"}}}};
}

void Put(Json& config, const std::string& path, const Json& value) {
  Json* at = &config;
  std::istringstream names(path);
  std::string name;
  while (std::getline(names, name, '.')) at = &(*at)[name];
  *at = value;
}

// Values that are not of the type.
std::vector<Json> ValuesOfOtherTypes(const std::string& type) {
  std::vector<Json> values;
  const auto add_unless = [&](std::initializer_list<std::string_view> types, const Json& value) {
    if (std::find(types.begin(), types.end(), type) == types.end()) values.push_back(value);
  };
  if (type == "any") return values;
  add_unless({"string"}, "some words");
  add_unless({"integer", "number"}, 1);
  add_unless({"number"}, 1.5);
  add_unless({"boolean"}, true);
  add_unless({"object"}, Json{{"a", 1}});
  values.push_back(Json::array({1, 2}));
  return values;
}

void AddValues(const Json& field, const std::string& path, std::vector<Mutation>& mutations) {
  const std::string effect = field["effect"];
  const std::string reason = field.value("reason", "");
  if (effect == "refused") {
    const bool is_secret = field["secret"];
    mutations.push_back({path, 1, path, "", reason, is_secret});
    mutations.push_back({path, "a word", path, "", reason, is_secret});
    return;
  }
  if (field.contains("must_be")) {
    const Json& only = field["must_be"];
    const Json other = only.is_boolean()  ? Json(!only.get<bool>())
                       : only.is_string() ? Json("other")
                                          : Json(only.get<int>() + 1);
    mutations.push_back({path, other, path, "", reason});
    mutations.push_back({path, Json::array(), path, "", reason});
    return;
  }
  for (const Json& value : ValuesOfOtherTypes(field["type"])) {
    mutations.push_back({path, value, path, "", "must be"});
  }
  if (field.contains("min")) {
    const double min = field["min"];
    mutations.push_back({path, field.value("min_excluded", false) ? min : min - 1, path, "", "not"});
  }
  if (field.contains("max")) {
    mutations.push_back({path, field["max"].get<double>() + 1, path, "", "not"});
  }
  if (field["required"]) mutations.push_back({path, nullptr, path, "", "is missing"});
}

std::string Misspelt(const std::string& name) {
  return name.substr(0, name.size() / 2) + "x" + name.substr(name.size() / 2);
}

void AddFields(const Json& fields, const std::string& parent, std::vector<Mutation>& mutations) {
  for (const Json& field : fields) {
    const std::string name = field["name"];
    const std::string path = MemberPath(parent, name);
    AddValues(field, path, mutations);
    const std::string wrong = MemberPath(parent, Misspelt(name));
    mutations.push_back({wrong, 1, wrong, name, "is not known"});
    if (field.contains("fields") && field["effect"] != "refused") {
      AddFields(field["fields"], path, mutations);
    }
  }
}

const std::vector<Mutation>& Mutations() {
  static const std::vector<Mutation> mutations = [] {
    std::vector<Mutation> list;
    AddFields(ModelConfigSchema()["fields"], "", list);
    return list;
  }();
  return mutations;
}

// The three forms people paste.
struct Pasted {
  std::string text;
  std::string prefix;  // of the paths in it
};

std::vector<Pasted> Forms(const Json& config) {
  const Json normal{{"llm_configs", Json::array({config})}};
  return {{config.dump(2), ""},
          {normal.dump(1, '\t'), "llm_configs[0]"},
          {ExportYaml(normal), "applications[0].args.llm_configs[0]"}};
}

std::vector<Problem> ErrorsOf(const CheckedModelConfig& checked) {
  std::vector<Problem> errors;
  for (const Problem& problem : checked.problems) {
    if (problem.severity == Severity::kError) errors.push_back(problem);
  }
  return errors;
}

std::string LineOf(const std::string& text, int number) {
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i < number; ++i) std::getline(lines, line);
  return line;
}

std::string LastName(const std::string& path) { return path.substr(path.rfind('.') + 1); }

void ExpectGoodProblem(const Problem& problem, const Pasted& pasted, const Mutation& mutation) {
  SCOPED_TRACE(problem.message);
  const std::string path = MemberPath(pasted.prefix, mutation.error_path);
  EXPECT_EQ(problem.path, path);
  EXPECT_NE(problem.message.find(path), std::string::npos);
  EXPECT_NE(problem.message.find(mutation.reason), std::string::npos);
  EXPECT_EQ(problem.nearest, mutation.nearest);
  ASSERT_GT(problem.place.line, 0);
  ASSERT_GT(problem.place.column, 0);
  if (mutation.value.is_null()) return;  // nothing stands there
  EXPECT_EQ(problem.value, mutation.is_secret ? Json("(not shown)") : mutation.value);
  const std::string line = LineOf(pasted.text, problem.place.line);
  const std::string at = line.substr(static_cast<size_t>(problem.place.column) - 1);
  const std::string name = LastName(mutation.error_path);
  EXPECT_TRUE(at.starts_with(name) || at.starts_with("\"" + name)) << at;
}

TEST(MalformedConfig, IsRefusedWithPathPlaceValueAndReasonForEveryFieldAndForm) {
  size_t num_texts = 0;
  for (const Mutation& mutation : Mutations()) {
    Json config = PlainConfig();
    Put(config, mutation.path, mutation.value);
    for (const Pasted& pasted : Forms(config)) {
      SCOPED_TRACE(pasted.text);
      const std::vector<Problem> errors = ErrorsOf(CheckModelConfig(pasted.text, {}));
      ASSERT_EQ(errors.size(), 1u);
      ExpectGoodProblem(errors[0], pasted, mutation);
      ++num_texts;
    }
    if (HasFailure()) return;  // one text is enough to read
  }
  EXPECT_GE(Mutations().size(), 300u);
  EXPECT_EQ(num_texts, 3 * Mutations().size());
}

bool Overlap(const std::string& a, const std::string& b) {
  return a == b || a.starts_with(b + ".") || b.starts_with(a + ".");
}

TEST(MalformedConfig, IsToldEverythingAtOnce) {
  std::mt19937 random(6);
  for (int round = 0; round < 300; ++round) {
    std::vector<Mutation> chosen;
    while (chosen.size() < 2 + random() % 7) {
      const Mutation& candidate = Mutations()[random() % Mutations().size()];
      const bool is_apart = std::none_of(chosen.begin(), chosen.end(), [&](const Mutation& other) {
        return Overlap(other.path, candidate.path);
      });
      if (is_apart) chosen.push_back(candidate);
    }
    Json config = PlainConfig();
    std::vector<std::string> expected, found;
    for (const Mutation& mutation : chosen) {
      Put(config, mutation.path, mutation.value);
      expected.push_back(mutation.error_path);
    }
    const std::string text = config.dump(2);
    const CheckedModelConfig checked = CheckModelConfig(text, {});
    for (const Problem& problem : ErrorsOf(checked)) found.push_back(problem.path);
    EXPECT_TRUE(std::is_sorted(checked.problems.begin(), checked.problems.end(),
                               [](const Problem& a, const Problem& b) {
                                 return a.place.line < b.place.line;
                               }));
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    ASSERT_EQ(found, expected) << text;
  }
}

TEST(MalformedConfig, NamesTheKeyThatStandsTwice) {
  for (const Mutation& mutation : Mutations()) {
    const std::string name = LastName(mutation.path);
    const std::string text = "model_loading_config: {model_id: m}\n" + name + ": 1\n\"" + name + "\": 1\n";
    const auto errors = ErrorsOf(CheckModelConfig(text, {}));
    ASSERT_EQ(errors.size(), 1u) << text;
    EXPECT_NE(errors[0].message.find("'" + name + "' stands twice"), std::string::npos);
    EXPECT_EQ(errors[0].place.line, name == "model_loading_config" ? 2 : 3);
  }
}

// No prefix of a JSON text is a JSON text; yet all of them must be read without harm.
TEST(MalformedConfig, CutAnywhereIsAnErrorWithASentence) {
  const Json config{{"llm_configs", Json::array({PlainConfig(), PlainConfig()})}};
  const std::string json = config.dump(1);
  for (size_t length = 0; length < json.size(); ++length) {
    const CheckedModelConfig checked = CheckModelConfig(json.substr(0, length), {});
    ASSERT_FALSE(checked.ok()) << json.substr(0, length);
    EXPECT_FALSE(checked.problems[0].message.empty());
  }
}

// Deleted, doubled and strange bytes: whatever comes of it, it is an answer, and what is taken can be
// written out and read again.
TEST(MalformedConfig, SurvivesAnyByteAnywhere) {
  const std::string good = ExportYaml(Json{{"llm_configs", Json::array({PlainConfig()})}});
  const std::string strange = "\0\t\n\r \"'#&*!|>%@`{}[],:?-<~\x7f\x80\xc3\xff"s;
  std::mt19937 random(7);
  int num_refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (size_t i = 0; i < 1 + random() % 3; ++i) {
      const size_t at = random() % text.size();
      const char byte = strange[random() % strange.size()];
      switch (random() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        default:
          text.erase(at, 1);
      }
    }
    const CheckedModelConfig checked = CheckModelConfig(text, {});
    num_refused += checked.ok() ? 0 : 1;
    for (const Problem& problem : checked.problems) EXPECT_FALSE(problem.message.empty()) << text;
    if (!checked.ok()) continue;
    const CheckedModelConfig again = CheckModelConfig(ExportYaml(checked.normal), {});
    EXPECT_EQ(again.normal, checked.normal) << text;
  }
  EXPECT_GT(num_refused, 1000);
}

}  // namespace
}  // namespace hearth::config
