#include "firmware/cli/text_table.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace hearth::cli {
namespace {

// Amounts stand below each other by their last digit, words by their first letter.
bool IsOfAmounts(const std::vector<std::vector<std::string>>& rows, size_t column) {
  return std::all_of(rows.begin() + (rows.empty() ? 0 : 1), rows.end(), [&](const auto& row) {
    if (column >= row.size() || row[column].empty()) return true;
    const char first = row[column][0];
    return first == '-' || (first >= '0' && first <= '9');
  });
}

}  // namespace

std::string TextTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<bool> to_the_right(widths.size());
  for (size_t i = 1; i < widths.size(); ++i) to_the_right[i] = IsOfAmounts(rows, i);
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      line += (i == 0 ? "" : "  ") + (to_the_right[i] ? space + row[i] : row[i] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string SizeText(double bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text;
}

std::string SpanText(int64_t seconds) {
  if (seconds == 0) return "-";
  if (seconds % 86400 == 0) return std::to_string(seconds / 86400) + " d";
  if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + " h";
  if (seconds % 60 == 0) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds) + " s";
}

std::string DurationText(double seconds) {
  char text[48];
  if (seconds < 0.9995) {
    std::snprintf(text, sizeof(text), "%.0f ms", std::max(0.0, seconds) * 1000);
    return text;
  }
  if (seconds < 59.95) {
    std::snprintf(text, sizeof(text), "%.1f s", seconds);
    return text;
  }
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  const auto two = [](int64_t large, const char* one, int64_t small, const char* other) {
    return std::to_string(large) + one + (small > 0 ? " " + std::to_string(small) + other : "");
  };
  if (whole < 3600) return two(whole / 60, " min", whole % 60, " s");
  if (whole < 86400) return two(whole / 3600, " h", whole % 3600 / 60, " min");
  return two(whole / 86400, " d", whole % 86400 / 3600, " h");
}

std::string AgoText(int64_t time_ms, int64_t now_ms) {
  if (time_ms <= 0) return "never";
  const int64_t seconds = std::max<int64_t>(0, (now_ms - time_ms) / 1000);
  return (seconds < 60 ? std::to_string(seconds) + " s"
                       : DurationText(static_cast<double>(seconds))) + " ago";
}

std::string UtcText(int64_t time_ms) {
  const auto seconds = static_cast<std::time_t>(time_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &utc);
  return text;
}

}  // namespace hearth::cli
