// Prints docs/METRICS.md.
#include <cstdio>

#include "firmware/metrics/metrics_doc.h"

int main() {
  const std::string page = hearth::metrics::MetricsDoc();
  const bool written = std::fwrite(page.data(), 1, page.size(), stdout) == page.size();
  return written && std::fflush(stdout) == 0 ? 0 : 1;
}
