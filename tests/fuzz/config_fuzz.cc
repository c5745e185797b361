// Any text as a model configuration: no crash, no hang, each problem with a sentence, and what is taken
// can be written out and read again to the same.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "firmware/config/model_config.h"

namespace {

[[noreturn]] void Fail(const char* what, const hearth::config::CheckedModelConfig& checked) {
  std::fprintf(stderr, "%s\n", what);
  for (const auto& problem : checked.problems) std::fprintf(stderr, "%s\n", problem.message.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  using namespace hearth::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const CheckedModelConfig checked = CheckModelConfig(text, {});
  for (const Problem& problem : checked.problems) {
    if (problem.message.empty()) Fail("a problem without a sentence", checked);
    hearth::DumpJson(problem.value);
  }
  if (!checked.ok()) return 0;
  const CheckedModelConfig again = CheckModelConfig(ExportYaml(checked.normal), {});
  if (!again.ok()) Fail("an export that is refused", again);
  if (again.normal != checked.normal) Fail("an export that says something else", again);
  if (again.llm_configs.size() != checked.llm_configs.size()) Fail("models are lost", again);
  for (const LlmConfig& config : checked.llm_configs) ToNormalJson(config);
  return 0;
}
