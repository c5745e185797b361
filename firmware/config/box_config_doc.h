// The box's settings as prose: the part of docs/CONFIG.md about them, and the example file.
#pragma once

#include <string>

namespace hearth::config {

// Markdown, from a heading of the second level on.
std::string BoxConfigDoc();

// packaging/hearth.yaml: every setting with its help, commented out.
std::string ExampleBoxConfig();

}  // namespace hearth::config
