#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace hearth {

CheckFailure::CheckFailure(const char* file, int line, const char* condition) {
  stream_ << "CHECK failed at " << file << ":" << line << ": " << condition << " ";
}

CheckFailure::~CheckFailure() {
  // Straight to stderr: the log's own lock may be held by the thread that failed.
  std::fprintf(stderr, "<2>%s\n", stream_.str().c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace hearth
