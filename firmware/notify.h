// Tells systemd how the service is doing (sd_notify(3)), without libsystemd.
#pragma once

#include <string_view>

namespace hearth {

// One datagram of "NAME=value" lines to $NOTIFY_SOCKET, e.g. "READY=1\nSTATUS=serving on :8080".
// False when there is no such socket (not started by systemd) or it did not take the message.
bool NotifySystemd(std::string_view message);

}  // namespace hearth
