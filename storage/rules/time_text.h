// Times as Prometheus's JSON writes them.
#pragma once

#include <cstdint>
#include <string>

namespace hearth::rules {

// "2026-11-22T20:15:00.128Z"; 0 is Go's zero time, "0001-01-01T00:00:00Z".
std::string Rfc3339(int64_t time_ms);

}  // namespace hearth::rules
