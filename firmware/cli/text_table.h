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
std::string DurationText(double seconds);  // "350 ms", "4.9 s", "3 min 20 s", "2 h 5 min", "9 d 3 h"
// The same for a time before now, "12 s ago"; "never" for 0.
std::string AgoText(int64_t time_ms, int64_t now_ms);
std::string UtcText(int64_t time_ms);     // "2026-01-31 23:59:59Z"

}  // namespace hearth::cli
