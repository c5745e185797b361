// The model configuration as prose: its part of docs/CONFIG.md.
#pragma once

#include <string>

namespace hearth::config {

// Markdown, from a heading of the second level on.
std::string ModelConfigDoc();

}  // namespace hearth::config
