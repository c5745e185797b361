// The model configuration as prose, and docs/CONFIG.md of it and of the box.
#pragma once

#include <string>

namespace hearth::config {

// Markdown, from a heading of the second level on.
std::string ModelConfigDoc();

// docs/CONFIG.md: the box, then the models.
std::string ConfigDoc();

}  // namespace hearth::config
