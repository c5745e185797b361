// Small files of /proc and /sys.
#pragma once

#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

namespace hearth::cli {

// Empty when it cannot be read.
inline std::string ProcText(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What follows `key` on its line, without the space around it.
inline std::optional<std::string> ProcLine(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const size_t begin = line.find_first_not_of(" \t", key.size());
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return std::nullopt;
}

}  // namespace hearth::cli
