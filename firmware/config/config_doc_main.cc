// Prints docs/CONFIG.md, or with --example packaging/hearth.yaml.
#include <cstdio>
#include <string_view>

#include "firmware/config/box_config_doc.h"
#include "firmware/config/model_config_doc.h"

int main(int argc, char** argv) {
  const bool example = argc == 2 && std::string_view(argv[1]) == "--example";
  if (argc > 1 && !example) {
    std::fprintf(stderr, "usage: hearth-config-doc [--example]\n");
    return 2;
  }
  const std::string page =
      example ? hearth::config::ExampleBoxConfig() : hearth::config::ConfigDoc();
  const bool written = std::fwrite(page.data(), 1, page.size(), stdout) == page.size();
  return written && std::fflush(stdout) == 0 ? 0 : 1;
}
