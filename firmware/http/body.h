// Reads a request's body within bounds of size and time, whatever pace the client chooses.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/limits.h"
#include "firmware/http/connection.h"
#include "firmware/http/gates.h"

namespace hearth::http {

struct BodyLimits {
  size_t bytes_max = limits::kBodyBytesMax;
  // The whole body must be there after base_s + bytes / bytes_per_s; for a chunked body the bytes
  // are those received so far.
  double base_s = 30;
  double bytes_per_s = 64 * 1024;
  // After the grace the average must be at least this, so that a dribbler does not keep base_s.
  double grace_s = 5;
  double rate_min_bytes_per_s = 512;
};

// status 0: the peer is gone, there is nobody to answer.
struct BodyFailure {
  int status = 0;
  std::string message;
};

// Takes a body piece by piece; a failure ends the reading.
using BodySink = std::function<std::optional<BodyFailure>(std::string_view piece)>;

std::optional<BodyFailure> ReadBody(Connection& connection, const BodyFraming& framing,
                                    const BodyLimits& limits, const Clock& clock,
                                    const BodySink& sink);

// Appends to `body`, whose memory grows with what has arrived, not with what was announced. After a
// failure the connection cannot be used for another request.
std::optional<BodyFailure> ReadBody(Connection& connection, const BodyFraming& framing,
                                    const BodyLimits& limits, const Clock& clock,
                                    std::string& body);

// Reads and drops what a refused client still sends, for at most `seconds`: closing a socket with
// unread bytes resets it, and the client would lose the answer that says why.
void DrainBody(Connection& connection, double seconds, const Clock& clock);

}  // namespace hearth::http
