// LOG(kInfo) << "..." writes one line to stderr: journald reads the "<6>" priority prefix, a terminal
// sees a time and a letter instead. Thread-safe; a line is written by one write(2).
#pragma once

#include <sstream>
#include <string_view>

namespace hearth {

enum class LogLevel { kError = 3, kWarning = 4, kInfo = 6, kDebug = 7 };  // syslog's numbers

// Lines above this level are not written. Default kInfo.
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);

// Put before every message of this process, e.g. "engine demo". Call before threads start.
void SetLogTag(std::string_view tag);

class LogLine {
 public:
  explicit LogLine(LogLevel level) : level_(level) {}
  ~LogLine();
  std::ostringstream& stream() { return stream_; }

 private:
  LogLevel level_;
  std::ostringstream stream_;
};

struct LogVoidify {
  void operator&(std::ostream&) const {}
};

}  // namespace hearth

#define LOG(level)                                         \
  !::hearth::LogEnabled(::hearth::LogLevel::level)         \
      ? (void)0                                            \
      : ::hearth::LogVoidify() & ::hearth::LogLine(::hearth::LogLevel::level).stream()
