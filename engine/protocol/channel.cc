#include "engine/protocol/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/limits.h"

namespace hearth::protocol {
namespace {

constexpr size_t kHeaderBytes = 4;

Status ReadExactly(int fd, uint8_t* data, size_t size, bool at_frame_start) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = recv(fd, data + done, size - done, 0);
    if (n > 0) {
      done += static_cast<size_t>(n);
    } else if (n == 0) {
      if (done == 0 && at_frame_start) return Unavailable("the peer closed the channel");
      return DataLoss("the channel ended inside a frame after " + std::to_string(done) + " of " +
                      std::to_string(size) + " bytes");
    } else if (errno != EINTR) {
      return Unavailable(std::string("receive failed: ") + std::strerror(errno));
    }
  }
  return Status::Ok();
}

Result<std::vector<uint8_t>> MakeFrame(const Message& message) {
  const std::vector<uint8_t> payload = EncodeMessage(message);
  if (payload.size() > limits::kFrameBytesMax) {
    return ResourceExhausted("a frame of " + std::to_string(payload.size()) +
                             " bytes is over the limit of " +
                             std::to_string(limits::kFrameBytesMax));
  }
  std::vector<uint8_t> frame(kHeaderBytes + payload.size());
  for (size_t i = 0; i < kHeaderBytes; ++i) {
    frame[i] = static_cast<uint8_t>(payload.size() >> (8 * i));
  }
  std::memcpy(frame.data() + kHeaderBytes, payload.data(), payload.size());
  return frame;
}

}  // namespace

Channel::~Channel() { close(fd_); }

Status Channel::Send(const Message& message) {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<uint8_t> frame, MakeFrame(message));
  std::lock_guard lock(send_mutex_);
  return Write(frame);
}

Status Channel::TrySend(const Message& message) {
  HEARTH_ASSIGN_OR_RETURN(const std::vector<uint8_t> frame, MakeFrame(message));
  std::unique_lock lock(send_mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return Unavailable("another frame is being sent");
  // A Unix socket is writable while half of its buffer is free: room for any small frame.
  pollfd writable{fd_, POLLOUT, 0};
  if (poll(&writable, 1, 0) != 1 || (writable.revents & POLLOUT) == 0) {
    return Unavailable("the peer does not read");
  }
  return Write(frame);
}

Status Channel::Write(std::span<const uint8_t> frame) {
  size_t done = 0;
  while (done < frame.size()) {
    const ssize_t n = send(fd_, frame.data() + done, frame.size() - done, MSG_NOSIGNAL);
    if (n >= 0) {
      done += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      return Unavailable(std::string("send failed: ") + std::strerror(errno));
    }
  }
  return Status::Ok();
}

Result<Message> Channel::Receive() {
  std::array<uint8_t, kHeaderBytes> header{};
  HEARTH_RETURN_IF_ERROR(ReadExactly(fd_, header.data(), header.size(), true));
  size_t size = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) size |= static_cast<size_t>(header[i]) << (8 * i);
  if (size > limits::kFrameBytesMax) {
    return DataLoss("a frame announces " + std::to_string(size) + " bytes, the limit is " +
                    std::to_string(limits::kFrameBytesMax));
  }
  std::vector<uint8_t> payload(size);
  HEARTH_RETURN_IF_ERROR(ReadExactly(fd_, payload.data(), size, false));
  auto message = DecodeMessage(payload);
  if (!message.ok()) return DataLoss(message.status().message());
  return message;
}

void Channel::Shutdown() { shutdown(fd_, SHUT_RDWR); }

Result<std::pair<int, int>> MakeSocketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return ErrnoStatus("socketpair", errno);
  }
  return std::pair(fds[0], fds[1]);
}

}  // namespace hearth::protocol
