#pragma once

#include <string_view>

namespace hearth {

// From project(VERSION) in the root CMakeLists.txt, the one place where it is written.
inline constexpr std::string_view kVersion = HEARTH_VERSION;

}  // namespace hearth
