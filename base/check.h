// CHECK(condition) << "why it must hold": a broken promise of the program itself. Logs and aborts;
// the history is safe in its write-ahead log, and whoever started the process restarts it.
#pragma once

#include <sstream>

namespace hearth {

class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* condition);
  [[noreturn]] ~CheckFailure();
  std::ostringstream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

// Makes both arms of CHECK's conditional void.
struct CheckVoidify {
  void operator&(std::ostream&) const {}
};

}  // namespace hearth

#define CHECK(condition)          \
  (condition) ? (void)0           \
              : ::hearth::CheckVoidify() & \
                    ::hearth::CheckFailure(__FILE__, __LINE__, #condition).stream()
