// Small files that a power loss leaves either as they were or as they became.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"

namespace hearth {

// nullopt: there is none that could be read.
std::optional<std::string> ReadSmallFile(const std::string& path);

// Over a file beside it (path.new), readable by its owner only. On the disk when this returns Ok.
Status WriteDurably(const std::string& path, const std::string& text);

// And what a write that was cut off left beside it. Ok where there is none.
Status RemoveDurably(const std::string& path);

}  // namespace hearth
