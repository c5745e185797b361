// Frames over a stream socket: u32 little-endian length, then that many bytes of CBOR.
#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/protocol/messages.h"

namespace hearth::protocol {

// Owns the descriptor. Send may be called from any thread; Receive from one.
class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Blocks while the peer does not read. kUnavailable when the peer is gone.
  Status Send(const Message& message);

  // A small message, or kUnavailable where Send would wait: for a peer that may hang.
  Status TrySend(const Message& message);

  // Blocks for the next frame. kUnavailable at the end of the stream; kDataLoss for a frame that is cut
  // short, too long (limits::kFrameBytesMax) or no message.
  Result<Message> Receive();

  // Ends both directions: a blocked Receive, here and at the peer, returns kUnavailable.
  void Shutdown();

  int fd() const { return fd_; }

 private:
  Status Write(std::span<const uint8_t> frame);  // under send_mutex_

  const int fd_;
  std::mutex send_mutex_;  // keeps frames whole
};

// A connected pair; both ends close-on-exec.
Result<std::pair<int, int>> MakeSocketPair();

}  // namespace hearth::protocol
