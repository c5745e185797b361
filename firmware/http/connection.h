// One client's connection as the body reader and the response writer see it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace hearth::http {

class Connection {
 public:
  static constexpr int kGone = -1;

  virtual ~Connection() = default;

  // Bytes moved (> 0), 0 after `timeout_s` without any, kGone when the peer has closed, on errors
  // and when the server stops. A write moves what it can of `head` followed by `body`.
  virtual int ReadSome(std::span<char> buffer, double timeout_s) = 0;
  virtual int WriteSome(std::string_view head, std::string_view body, double timeout_s) = 0;

  // Has the peer closed its end, or is the server stopping? Does not wait and takes no byte.
  virtual bool PeerGone() = 0;

  // No further request on this connection. Before the answer's head, for the client to be told.
  virtual void CloseAfterAnswer() = 0;
  virtual bool KeepsAlive() = 0;

  // Bounds what the kernel keeps for a client that does not read.
  virtual void LimitSendBuffer(int bytes) = 0;
};

}  // namespace hearth::http
