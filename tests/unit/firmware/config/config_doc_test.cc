#include <gtest/gtest.h>

#include "base/durable_file.h"
#include "firmware/config/model_config.h"
#include "firmware/config/model_config_doc.h"

namespace hearth::config {
namespace {

TEST(ConfigDoc, IsWhatTheTablesSay) {
  EXPECT_TRUE(ReadSmallFile("docs/CONFIG.md") == ConfigDoc())
      << "docs/CONFIG.md is not what the tables say. Write it again, from the source root:\n"
         "  cmake --build build/dev --target hearth-config-doc && "
         "build/dev/bin/hearth-config-doc > docs/CONFIG.md";
}

// The first block of YAML after `heading`.
std::string ExampleAfter(const std::string& page, const std::string& heading) {
  const size_t fence = page.find("```yaml\n", page.find(heading));
  const size_t begin = fence + std::string("```yaml\n").size();
  return page.substr(begin, page.find("```", begin) - begin);
}

TEST(ConfigDoc, ShowsAnExampleThatIsTaken) {
  const CheckedModelConfig checked = CheckModelConfig(ExampleAfter(ConfigDoc(), "## The models"), {});
  EXPECT_TRUE(checked.ok());
  EXPECT_EQ(checked.llm_configs.size(), 1u);
  EXPECT_TRUE(checked.problems.empty()) << checked.problems[0].message;
}

void ExpectEachNamed(const Json& fields, const std::string& page) {
  for (const Json& field : fields) {
    EXPECT_NE(page.find("| `" + field["name"].get<std::string>() + "`"), std::string::npos) << field["name"];
    if (field.contains("fields") && field["effect"] != "refused") {
      ExpectEachNamed(field["fields"], page);
    }
  }
}

TEST(ConfigDoc, HasARowForEveryField) {
  const Json schema = ModelConfigSchema();
  ExpectEachNamed(schema["fields"], ConfigDoc());
  ExpectEachNamed(schema["application"], ConfigDoc());
}

}  // namespace
}  // namespace hearth::config
