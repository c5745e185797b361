// Which addresses a download may go to (V-6): a hub's answer must not make this box ask its neighbours.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace hearth::library {

// Is it one that belongs to somebody out there? Not loopback, private, shared (RFC 6598), link-local
// (where clouds keep their metadata), unique local, multicast, reserved, nor one of those wrapped into
// an IPv6 address.
bool IsPublicAddress(const sockaddr& address);

struct HostAddresses {
  std::vector<std::string> texts;  // as numbers, IPv6 in brackets
  std::string first_not_public;    // empty: all are public
};

// Asks the resolver once. kUnavailable when it has no answer.
Result<HostAddresses> ResolveHost(const std::string& host);

}  // namespace hearth::library
