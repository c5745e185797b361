// What people read on a terminal: columns, sizes, times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hearth::cli {

// Columns as wide as their widest cell, two spaces apart; the first is set left, the others right.
std::string TextTable(const std::vector<std::vector<std::string>>& rows);

std::string SizeText(double bytes);       // "12.3 MiB"
std::string SpanText(int64_t seconds);    // "6 h", "35 d"; "-" for 0
std::string UtcText(int64_t time_ms);     // "2026-01-31 23:59:59Z"

}  // namespace hearth::cli
