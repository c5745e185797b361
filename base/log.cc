#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

namespace hearth {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};

std::string& Tag() {
  static std::string tag;
  return tag;
}

// systemd sets JOURNAL_STREAM when stderr is the journal's.
bool WritesToJournal() {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  return journal;
}

std::string Prefix(LogLevel level) {
  if (WritesToJournal()) return "<" + std::to_string(static_cast<int>(level)) + ">";
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[48];
  const char letter = level == LogLevel::kError     ? 'E'
                      : level == LogLevel::kWarning ? 'W'
                      : level == LogLevel::kInfo    ? 'I'
                                                    : 'D';
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d %c ", utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(millis), letter);
  return text;
}

}  // namespace

void SetLogLevel(LogLevel level) { g_level.store(level, std::memory_order_relaxed); }
bool LogEnabled(LogLevel level) { return level <= g_level.load(std::memory_order_relaxed); }
void SetLogTag(std::string_view tag) { Tag() = std::string(tag) + ": "; }

LogLine::~LogLine() {
  std::string message = stream_.str();
  // One event is one line, whatever a message carries from outside.
  for (char& c : message) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  const std::string line = Prefix(level_) + Tag() + message + "\n";
  // A log that cannot be written must not stop the service; there is nowhere to report it either.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace hearth
